//! Orders as the exchange contracts hash and check them.
//!
//! The digest of an order is its name at the venue, also where a deposit wallet wraps what it
//! signs: it is known before anything is sent.

use alloy_primitives::{Address, B256, U256, address, keccak256};

use crate::domain::Action;
use crate::domain::market::Settlement;

use super::{Key, SIGNATURE_BYTES, digest, keccak_of, word};

/// The struct as it is hashed. `expiration` is sent but not signed.
pub const ORDER_TYPE: &str = "Order(uint256 salt,address maker,address signer,uint256 tokenId,\
    uint256 makerAmount,uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,\
    bytes32 metadata,bytes32 builder)";

const DOMAIN_TYPE: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
/// The neg-risk exchange and `ExchangeV3` bear the same name.
const DOMAIN_NAME: &str = "Polymarket CTF Exchange";

/// What a deposit wallet signs around an order (ERC-7739, nested typed data).
const NESTED_TYPE: &str = "TypedDataSign(Order contents,string name,string version,\
    uint256 chainId,address verifyingContract,bytes32 salt)";
const WALLET_NAME: &str = "DepositWallet";
const WALLET_VERSION: &str = "1";

/// The domain version and contract that check orders of such a market (official clients, 2026-10).
pub const fn exchange(settlement: Settlement) -> (&'static str, Address) {
    match settlement {
        Settlement::Standard => ("2", address!("E111180000d2663C0091e4f400237545B87B996B")),
        Settlement::NegRisk => ("2", address!("e2222d279d744050d28e00520010520000310F59")),
        Settlement::ProtocolV2 => ("3", address!("e3333700cA9d93003F00f0F71f8515005F6c00Aa")),
    }
}

/// Who holds the funds, and so how an order is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wallet {
    /// The key's own account.
    Eoa,
    /// A proxy of the early e-mail accounts.
    Proxy,
    /// A Safe of the early browser accounts.
    Safe,
    /// A deposit wallet: the only kind for accounts made since May 2026.
    Deposit,
}

impl Wallet {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Eoa, Self::Proxy, Self::Safe, Self::Deposit];

    /// The kind in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eoa => "own account",
            Self::Proxy => "proxy",
            Self::Safe => "Safe",
            Self::Deposit => "deposit wallet",
        }
    }

    /// The number that the venue calls `signatureType`.
    pub const fn number(self) -> u8 {
        match self {
            Self::Eoa => 0,
            Self::Proxy => 1,
            Self::Safe => 2,
            Self::Deposit => 3,
        }
    }

    /// The kind with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }
}

/// The eleven fields that are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// At most 2^53 - 1: it is sent as a JSON number.
    pub salt: u64,
    /// The wallet that holds the funds.
    pub maker: Address,
    /// The key's address; the deposit wallet where there is one.
    pub signer: Address,
    /// The token that is bought or sold.
    pub token: U256,
    /// What we give, in millionths.
    pub maker_amount: u64,
    /// What we get, in millionths.
    pub taker_amount: u64,
    /// Buys or sells the token.
    pub action: Action,
    /// Kind of the wallet.
    pub wallet: Wallet,
    /// Milliseconds since the epoch; makes the order unique.
    pub timestamp_ms: u64,
    /// Zero unless used.
    pub metadata: B256,
    /// A code for sharing fees; zero unless used.
    pub builder: B256,
}

/// An order that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The order's name at the venue.
    pub id: B256,
    /// 65 bytes, or 317 for a deposit wallet.
    pub signature: Vec<u8>,
}

/// Everything about signing that stays the same from order to order.
#[derive(Debug, Clone)]
pub struct Exchanges {
    chain: B256,
    order_type: B256,
    nested_type: B256,
    wallet_name: B256,
    wallet_version: B256,
    separators: [B256; 3],
}

impl Exchanges {
    /// Hashes what all orders on this chain share.
    pub fn new(chain: u64) -> Self {
        let separator = |settlement| {
            let (version, contract) = exchange(settlement);
            keccak_of(&[
                keccak256(DOMAIN_TYPE),
                keccak256(DOMAIN_NAME),
                keccak256(version),
                word(chain),
                contract.into_word(),
            ])
        };
        Self {
            chain: word(chain),
            order_type: keccak256(ORDER_TYPE),
            nested_type: keccak256([NESTED_TYPE, ORDER_TYPE].concat()),
            wallet_name: keccak256(WALLET_NAME),
            wallet_version: keccak256(WALLET_VERSION),
            separators: Settlement::ALL.map(separator),
        }
    }

    /// The domain separator of the contract that checks such a market's orders.
    pub const fn separator(&self, settlement: Settlement) -> B256 {
        let [standard, neg_risk, protocol_v2] = self.separators;
        match settlement {
            Settlement::Standard => standard,
            Settlement::NegRisk => neg_risk,
            Settlement::ProtocolV2 => protocol_v2,
        }
    }

    /// The hash of an order's fields.
    pub fn order_hash(&self, fields: &Fields) -> B256 {
        let side = match fields.action {
            Action::Buy => 0,
            Action::Sell => 1,
        };
        keccak_of(&[
            self.order_type,
            word(fields.salt),
            fields.maker.into_word(),
            fields.signer.into_word(),
            B256::from(fields.token),
            word(fields.maker_amount),
            word(fields.taker_amount),
            word(side),
            word(u64::from(fields.wallet.number())),
            word(fields.timestamp_ms),
            fields.metadata,
            fields.builder,
        ])
    }

    /// Names and signs an order.
    pub fn sign(&self, key: &Key, settlement: Settlement, fields: &Fields) -> Signed {
        let separator = self.separator(settlement);
        let contents = self.order_hash(fields);
        let id = digest(separator, contents);
        let signature = match fields.wallet {
            Wallet::Eoa | Wallet::Proxy | Wallet::Safe => key.sign(id).to_vec(),
            Wallet::Deposit => self.sign_nested(key, separator, contents, fields.maker),
        };
        Signed { id, signature }
    }

    /// The inner signature, and behind it all that the wallet's contract needs to rebuild what was
    /// signed: separator, hash, type, and the length of the type.
    fn sign_nested(&self, key: &Key, separator: B256, contents: B256, wallet: Address) -> Vec<u8> {
        const TYPE_LENGTH: [u8; 2] = [0x00, 0xba];
        const _: () = assert!(ORDER_TYPE.len() == 0xba);
        let nested = keccak_of(&[
            self.nested_type,
            contents,
            self.wallet_name,
            self.wallet_version,
            self.chain,
            wallet.into_word(),
            B256::ZERO,
        ]);
        let inner = key.sign(digest(separator, nested));
        let mut signature = Vec::with_capacity(SIGNATURE_BYTES + 64 + ORDER_TYPE.len() + 2);
        signature.extend_from_slice(&inner);
        signature.extend_from_slice(separator.as_slice());
        signature.extend_from_slice(contents.as_slice());
        signature.extend_from_slice(ORDER_TYPE.as_bytes());
        signature.extend_from_slice(&TYPE_LENGTH);
        signature
    }
}

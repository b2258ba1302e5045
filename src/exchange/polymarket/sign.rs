//! Who signed: EIP-712 hashes of orders and of key requests, and the address that a signature
//! gives away.
//!
//! The exchange holds no key. It recovers the signer of a hash and compares addresses, as the
//! contracts do. Everything here is read from the venue's facts (`polymarket.md` 2 and 3.1), not
//! from the client side.

use alloy_primitives::{U256, keccak256};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};

use super::super::hex;

/// An Ethereum address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// The first account of every Anvil and Hardhat chain: the wallet of tests and demos.
    pub const ANVIL: Self = Self([
        0xf3, 0x9f, 0xd6, 0xe5, 0x1a, 0xad, 0x88, 0xf6, 0xf4, 0xce, 0x6a, 0xb8, 0x82, 0x72, 0x79,
        0xcf, 0xff, 0xb9, 0x22, 0x66,
    ]);

    /// Reads `0x` and 40 hex digits of any case.
    pub fn parse(text: &str) -> Option<Self> {
        unhex(text)?.try_into().ok().map(Self)
    }

    fn word(self) -> [u8; 32] {
        let mut word = [0; 32];
        word[12..].copy_from_slice(&self.0);
        word
    }
}

impl std::fmt::Display for Address {
    /// Writes the address with the checksum of EIP-55, as the venue does.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = hex(&self.0);
        let check = keccak256(digits.as_bytes());
        f.write_str("0x")?;
        for (index, digit) in digits.chars().enumerate() {
            let nibble = check[index / 2] >> (4 * (1 - index % 2)) & 15;
            let digit = if nibble >= 8 { digit.to_ascii_uppercase() } else { digit };
            f.write_fmt(format_args!("{digit}"))?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// The bytes of `0x` and hex digits.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x")?.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    digits.chunks_exact(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}

/// The chain that all of this happens on.
const CHAIN_ID: u64 = 137;
/// The venue signs for the same name with every contract.
const EXCHANGE_NAME: &str = "Polymarket CTF Exchange";
const DOMAIN_TYPE: &str =
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const AUTH_DOMAIN_TYPE: &str = "EIP712Domain(string name,string version,uint256 chainId)";
const AUTH_TYPE: &str = "ClobAuth(address address,string timestamp,uint256 nonce,string message)";
const AUTH_SENTENCE: &str = "This message attests that I control the given wallet";
const ORDER_TYPE: &str = "Order(uint256 salt,address maker,address signer,uint256 tokenId,\
uint256 makerAmount,uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,\
bytes32 metadata,bytes32 builder)";
/// What a deposit wallet's owner signs, before the order's own type.
const NESTED_TYPE: &str = "TypedDataSign(Order contents,string name,string version,\
uint256 chainId,address verifyingContract,bytes32 salt)";

/// The contract that settles a market's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contract {
    /// Standard markets with conditional tokens.
    Standard,
    /// Markets of a negative-risk event.
    NegRisk,
    /// Markets with positions of Protocol V2.
    V3,
}

impl Contract {
    /// All contracts.
    pub(super) const ALL: [Self; 3] = [Self::Standard, Self::NegRisk, Self::V3];

    const fn address(self) -> &'static str {
        match self {
            Self::Standard => "0xE111180000d2663C0091e4f400237545B87B996B",
            Self::NegRisk => "0xe2222d279d744050d28e00520010520000310F59",
            Self::V3 => "0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
        }
    }

    const fn version(self) -> &'static str {
        match self {
            Self::Standard | Self::NegRisk => "2",
            Self::V3 => "3",
        }
    }

    /// The separator of the contract's domain.
    fn separator(self) -> [u8; 32] {
        self.separator_at(self.version())
    }

    /// The separator with another version: orders of the old exchange bear `1`.
    fn separator_at(self, version: &str) -> [u8; 32] {
        let address = Address::parse(self.address()).map_or([0; 32], Address::word);
        struct_hash(&[
            text(DOMAIN_TYPE),
            text(EXCHANGE_NAME),
            text(version),
            number(CHAIN_ID),
            address,
        ])
    }
}

/// How an order is signed, by its number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalletKind {
    /// 0: the wallet signs for itself.
    Eoa,
    /// 1: an old e-mail wallet.
    Proxy,
    /// 2: an old browser wallet.
    Safe,
    /// 3: a deposit wallet, whose owner signs nested typed data.
    Deposit,
}

impl WalletKind {
    /// Reads the number.
    pub(super) const fn from_number(number: u64) -> Option<Self> {
        match number {
            0 => Some(Self::Eoa),
            1 => Some(Self::Proxy),
            2 => Some(Self::Safe),
            3 => Some(Self::Deposit),
            _ => None,
        }
    }

    /// The number on the wire.
    pub(super) const fn number(self) -> u64 {
        match self {
            Self::Eoa => 0,
            Self::Proxy => 1,
            Self::Safe => 2,
            Self::Deposit => 3,
        }
    }
}

/// The eleven fields that are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedOrder {
    pub(super) salt: u64,
    pub(super) maker: Address,
    pub(super) signer: Address,
    pub(super) token: U256,
    pub(super) maker_amount: u64,
    pub(super) taker_amount: u64,
    /// 0 buys, 1 sells.
    pub(super) side: u8,
    pub(super) kind: WalletKind,
    pub(super) timestamp: u64,
    pub(super) metadata: [u8; 32],
    pub(super) builder: [u8; 32],
}

impl SignedOrder {
    fn struct_hash(&self) -> [u8; 32] {
        struct_hash(&[
            text(ORDER_TYPE),
            number(self.salt),
            self.maker.word(),
            self.signer.word(),
            self.token.to_be_bytes(),
            number(self.maker_amount),
            number(self.taker_amount),
            number(u64::from(self.side)),
            number(self.kind.number()),
            number(self.timestamp),
            self.metadata,
            self.builder,
        ])
    }

    /// The order's id at the venue.
    pub(super) fn hash(&self, contract: Contract) -> [u8; 32] {
        digest(contract.separator(), self.struct_hash())
    }

    /// The address whose key signed the order for a contract, whatever the order claims.
    pub(super) fn recover(&self, contract: Contract, signature: &[u8]) -> Option<Address> {
        self.recover_in(contract.separator(), signature)
    }

    /// Whether the order is signed for the exchange before the present one.
    pub(super) fn is_of_old_version(&self, owner: Address, signature: &[u8]) -> bool {
        Contract::ALL.iter().any(|contract| {
            let old = contract.separator_at("1");
            self.recover_in(old, signature) == Some(owner)
        })
    }

    fn recover_in(&self, separator: [u8; 32], signature: &[u8]) -> Option<Address> {
        match self.kind {
            WalletKind::Deposit => self.recover_nested(separator, signature),
            _ => recover(digest(separator, self.struct_hash()), signature),
        }
    }

    /// A deposit wallet's signature: 65 bytes over the nested data, the separator, the order's
    /// hash, the order's type and the length of that.
    fn recover_nested(&self, separator: [u8; 32], signature: &[u8]) -> Option<Address> {
        let (inner, rest) = signature.split_at_checked(65)?;
        let contents = self.struct_hash();
        let mut appendix = separator.to_vec();
        appendix.extend_from_slice(&contents);
        appendix.extend_from_slice(ORDER_TYPE.as_bytes());
        appendix.extend_from_slice(&u16::try_from(ORDER_TYPE.len()).ok()?.to_be_bytes());
        if rest != appendix {
            return None;
        }
        let nested = struct_hash(&[
            keccak256([NESTED_TYPE, ORDER_TYPE].concat()).0,
            contents,
            text("DepositWallet"),
            text("1"),
            number(CHAIN_ID),
            self.signer.word(),
            [0; 32],
        ]);
        recover(digest(separator, nested), inner)
    }
}

/// The address that attests that it wants a key.
pub(super) fn recover_auth(
    address: Address,
    timestamp: &str,
    nonce: u64,
    signature: &[u8],
) -> Option<Address> {
    let separator =
        struct_hash(&[text(AUTH_DOMAIN_TYPE), text("ClobAuthDomain"), text("1"), number(CHAIN_ID)]);
    let contents = struct_hash(&[
        text(AUTH_TYPE),
        address.word(),
        text(timestamp),
        number(nonce),
        text(AUTH_SENTENCE),
    ]);
    recover(digest(separator, contents), signature)
}

fn text(text: &str) -> [u8; 32] {
    keccak256(text.as_bytes()).0
}

fn number(value: u64) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

fn struct_hash(words: &[[u8; 32]]) -> [u8; 32] {
    keccak256(words.concat()).0
}

fn digest(separator: [u8; 32], contents: [u8; 32]) -> [u8; 32] {
    let mut bytes = vec![0x19, 0x01];
    bytes.extend_from_slice(&separator);
    bytes.extend_from_slice(&contents);
    keccak256(bytes).0
}

/// The address whose key made a signature of 65 bytes over a hash.
fn recover(hash: [u8; 32], signature: &[u8]) -> Option<Address> {
    let (compact, last) = signature.split_at_checked(64)?;
    let parity = match last {
        [27 | 0] => false,
        [28 | 1] => true,
        _ => return None,
    };
    let signature = Signature::from_slice(compact).ok()?;
    // The contracts refuse the second form of a signature, which anyone can make from the first.
    if signature.normalize_s() != signature {
        return None;
    }
    let key = VerifyingKey::recover_from_prehash(&hash, &signature, RecoveryId::new(parity, false));
    let point = key.ok()?.to_sec1_point(false);
    let hashed = keccak256(point.as_bytes().get(1..)?);
    hashed[12..].try_into().ok().map(Address)
}

#[cfg(test)]
mod tests;

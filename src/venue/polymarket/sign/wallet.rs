//! Which wallets the venue's factories make for an owner.
//!
//! Each factory places a wallet at an address that follows from the factory, a salt and the code
//! that makes it (`CREATE2`, EIP-1014), and salt or code from the owner. So the address is known
//! without a look at the chain, whether or not anything stands there. The venue reads balances in
//! the same way, from the owner and the kind of the wallet: another wallet shows nothing.

use alloy_primitives::{Address, B256, hex, keccak256};

use crate::venue::polymarket::facts::factory;

use super::order::Wallet;

/// The wallets of a kind that belong to an owner: one, but two for deposit wallets, whose factory
/// has had two forms, and only the chain tells which of them is current.
pub fn wallets_of(kind: Wallet, owner: Address) -> Vec<Address> {
    match kind {
        Wallet::Eoa => vec![owner],
        Wallet::Proxy => vec![factory::PROXY.create2(keccak256(owner), keccak256(proxy_code()))],
        Wallet::Safe => {
            vec![factory::SAFE.create2(keccak256(owner.into_word()), factory::SAFE_CODE_HASH)]
        }
        Wallet::Deposit => {
            let mut arguments = factory::DEPOSIT.into_word().to_vec();
            arguments.extend_from_slice(owner.into_word().as_slice());
            let salt = keccak256(&arguments);
            let at = |code: Vec<u8>| factory::DEPOSIT.create2(salt, keccak256(code));
            let (own, beacon) = (factory::DEPOSIT_IMPLEMENTATION, factory::DEPOSIT_BEACON);
            vec![
                at(clone_code(own, &UUPS, &arguments)),
                at(clone_code(beacon, &BEACON, &arguments)),
            ]
        }
    }
}

/// What makes a proxy: a clone of the factory's implementation that is told at once that it has no
/// arguments.
fn proxy_code() -> Vec<u8> {
    let mut code = hex!("3d3d606380380380913d393d73").to_vec();
    code.extend_from_slice(factory::PROXY.as_slice());
    code.extend_from_slice(&hex!("5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d363d73"));
    code.extend_from_slice(factory::PROXY_IMPLEMENTATION.as_slice());
    code.extend_from_slice(&hex!("5af43d82803e903d91602b57fd5bf3"));
    code.extend_from_slice(&keccak256("cloneConstructor(bytes)")[..4]);
    // Where the bytes begin, and that there are none.
    code.extend_from_slice(super::word(32).as_slice());
    code.extend_from_slice(B256::ZERO.as_slice());
    code
}

/// A kind of clone with arguments behind its code (Solady, `LibClone`).
struct Made {
    /// How long its code is without arguments.
    length: usize,
    /// Its code behind the address that it leads to.
    tail: &'static [u8],
}

/// A proxy whose implementation stands in the slot of ERC-1967.
const UUPS: Made = Made {
    length: 0x3d,
    tail: &hex!(
        "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076"
        "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
    ),
};

/// A proxy whose implementation is asked of a beacon.
const BEACON: Made = Made {
    length: 0x52,
    tail: &hex!(
        "60195155f3363d3d373d3d363d602036600436635c60da1b60e01b36527fa3f0ad74e5423aebfd80d3ef"
        "4346578335a9a72aeaee59ff6cb3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
    ),
};

fn clone_code(target: Address, kind: &Made, arguments: &[u8]) -> Vec<u8> {
    let length = kind.length.saturating_add(arguments.len());
    let mut code = vec![0x61];
    // Two bytes: arguments are two words.
    code.extend_from_slice(&length.to_be_bytes()[size_of::<usize>() - 2..]);
    code.extend_from_slice(&hex!("3d8160233d3973"));
    code.extend_from_slice(target.as_slice());
    code.extend_from_slice(kind.tail);
    code.extend_from_slice(arguments);
    code
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::venue::polymarket::parse::market::is_v2_id;

    fn vectors() -> Value {
        let file = include_str!("../../../../tests/data/polymarket/vectors/wallets.json");
        serde_json::from_str(file).unwrap()
    }

    #[test]
    fn wallets_are_those_of_the_official_client() {
        let file = vectors();
        let address = |field: &str| file[field].as_str().unwrap().parse::<Address>().unwrap();
        let owner = address("owner");
        assert_eq!(wallets_of(Wallet::Eoa, owner), [owner]);
        assert_eq!(wallets_of(Wallet::Proxy, owner), [address("proxy_wallet_type1")]);
        assert_eq!(wallets_of(Wallet::Safe, owner), [address("safe_wallet_type2")]);
        let (uups, beacon) =
            (address("deposit_wallet_type3_uups"), address("deposit_wallet_type3_beacon"));
        assert_eq!(wallets_of(Wallet::Deposit, owner), [uups, beacon]);
        // Nobody else's wallet is the same.
        let other = Address::repeat_byte(1);
        for kind in Wallet::ALL {
            assert!(
                wallets_of(kind, other).iter().all(|one| !wallets_of(kind, owner).contains(one))
            );
        }
    }

    #[test]
    fn a_position_of_protocol_v2_is_known_by_its_id() {
        let file = vectors();
        let examples = file["position_ids"]["examples"].as_array().unwrap();
        assert_eq!(examples.len(), 4);
        for example in examples {
            let found = is_v2_id(example["id"].as_str().unwrap());
            assert_eq!(found, example["is_v2_position"].as_bool(), "{example}");
        }
    }

    #[test]
    fn the_factories_are_those_of_the_official_client() {
        let file = vectors();
        for (field, address) in [
            ("proxy_factory", factory::PROXY),
            ("proxy_implementation", factory::PROXY_IMPLEMENTATION),
            ("safe_factory", factory::SAFE),
            ("deposit_wallet_factory", factory::DEPOSIT),
            ("deposit_wallet_implementation", factory::DEPOSIT_IMPLEMENTATION),
            ("deposit_wallet_beacon", factory::DEPOSIT_BEACON),
        ] {
            assert_eq!(file["constants"][field], address.to_string(), "{field}");
        }
        let hash = file["constants"]["safe_init_code_hash"].as_str().unwrap();
        assert_eq!(factory::SAFE_CODE_HASH, hash.parse::<B256>().unwrap());
    }
}

//! The secrets during a rotation.

use super::*;
use events::Client;

#[test]
fn ids_of_the_next_secret_and_of_the_previous_one_are_recognised() -> Result<()> {
    let secret = |name: &str| format!("the secret that {name} holds");
    let names = [
        "ORDER_ID_SECRET",
        "ORDER_ID_SECRET_NEXT",
        "ORDER_ID_SECRET_PREVIOUS",
    ];
    let client = Client::anonymous();
    // Ids of exactly those secrets are recognised whose variables are set.
    for set in [&names[..], &names[..1], &names[..2], &[names[0], names[2]]] {
        let variable = |name: &str| Ok(set.contains(&name).then(|| secret(name)));
        let ids = ids_by(variable)?;
        for name in names {
            let id = OrderIds::new(Secret::new(secret(name))?, vec![]).fresh(&client, [7; 12]);
            let found = ids.recognise(&client, id);
            assert_eq!(found, set.contains(&name), "{set:?} {name}");
        }
        let id = OrderIds::new(Secret::new(secret(names[0]))?, vec![]).fresh(&client, [7; 12]);
        assert_eq!(ids.fresh(&client, [7; 12]), id, "the first one signs");
    }
    assert!(ids_by(|name: &str| Ok((name != names[0]).then(|| secret(name)))).is_err());
    Ok(())
}

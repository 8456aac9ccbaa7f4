//! A control plane that could not have its ports says so. It must never pass for one that runs: what answers there is
//! another cluster, and what is tested would happen to that one.

use crate::plane::Plane;

#[tokio::test]
#[ignore = "needs a control plane: run `cargo xtask test`"]
async fn a_port_that_is_taken_is_noticed() {
    let first = Plane::start().await;
    let [etcd, peer, api_server] = first.ports();
    let second = Plane::start().await;
    let free = second.ports();
    // Its ports are free now, and not among those that anybody gets by chance.
    drop(second);
    for (ports, server) in [
        ([etcd, free[1], free[2]], "etcd"),
        ([free[0], peer, free[2]], "etcd"),
        ([free[0], free[1], api_server], "kube-apiserver"),
    ] {
        let Err(words) = Plane::start_on(ports).await else { panic!("{server} shares a port of {ports:?}") };
        assert!(words.starts_with(&format!("{server} has ended")), "{words}");
        assert!(words.contains("address already in use"), "{words}");
    }
}

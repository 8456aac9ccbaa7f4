//! What every live test stands on.

#![allow(dead_code, reason = "several programs share it, and each uses a part")]

pub(crate) mod astra;
pub(crate) mod cluster;
pub(crate) mod operator;
pub(crate) mod proxy;
pub(crate) mod stage;
pub(crate) mod trio;
pub(crate) mod wait;

pub(crate) use stage::Stage;

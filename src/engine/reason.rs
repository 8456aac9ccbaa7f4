//! The reasons that conditions give, and what follows from each.

use std::fmt;

/// Makes the enum, and from the very same lines its list and what the reference says of each.
macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// Why an object is, or is not, as it shall be. One CamelCase word for one-line output.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// All of them, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// What it means, in one sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+).trim(),)+ }
            }
        }
    };
}

reasons! {
    /// All is as the spec says.
    UpToDate,
    /// A field of the spec cannot be, or does not fit the database.
    InvalidSpec,
    /// The Secret with the token is not there.
    SecretNotFound,
    /// The Secret has no such key.
    SecretKeyNotFound,
    /// What is in the Secret cannot be a token.
    TokenInvalid,
    /// Astra refused the token, or the token lacks a permission: it does not tell which.
    TokenRefused,
    /// The token lacks a permission, or the caller's address is not allowed.
    PermissionDenied,
    /// No such database.
    DatabaseNotFound,
    /// Several databases have this name.
    DatabaseAmbiguous,
    /// The database is gone or going.
    DatabaseTerminated,
    /// The database is parked.
    DatabaseParked,
    /// The database takes no changes now.
    DatabaseNotReady,
    /// Another object has the older claim.
    Conflict,
    /// Another object must be looked at first, or does the same thing first.
    WaitingForPeer,
    /// Most of what is in Astra would be removed, and not because the spec changed.
    MassRemoval,
    /// Astra refused a change.
    ChangeRefused,
    /// The Kubernetes API cannot be reached or answers with errors.
    KubernetesUnavailable,
    /// Astra cannot be reached or answers with errors.
    AstraUnavailable,
    /// Astra asked for fewer calls.
    RateLimited,
    /// A change was sent and is not seen yet.
    WaitingForAstra,
    /// An endpoint was rejected.
    EndpointRejected,
    /// An endpoint has a status that is not known.
    EndpointPending,
    /// The peering awaits the other side, or is being made.
    PeeringPending,
    /// The peering failed or was broken off.
    PeeringFailed,
    /// The object is being deleted.
    Deleting,
}

impl Reason {
    /// Will it not go away by waiting? Then it is `Stalled`, and kstatus says Failed.
    #[must_use]
    pub const fn needs_a_person(self) -> bool {
        match self {
            Self::InvalidSpec
            | Self::SecretNotFound
            | Self::SecretKeyNotFound
            | Self::TokenInvalid
            | Self::TokenRefused
            | Self::PermissionDenied
            | Self::DatabaseNotFound
            | Self::DatabaseAmbiguous
            | Self::DatabaseTerminated
            | Self::DatabaseParked
            | Self::Conflict
            | Self::MassRemoval
            | Self::ChangeRefused
            | Self::EndpointRejected
            | Self::PeeringFailed => true,
            Self::UpToDate
            | Self::DatabaseNotReady
            | Self::WaitingForPeer
            | Self::AstraUnavailable
            | Self::KubernetesUnavailable
            | Self::RateLimited
            | Self::WaitingForAstra
            | Self::EndpointPending
            | Self::PeeringPending
            | Self::Deleting => false,
        }
    }

    /// Is it about the token and where it is kept? Then another object with the same credentials knows better.
    #[must_use]
    pub const fn is_about_credentials(self) -> bool {
        matches!(
            self,
            Self::SecretNotFound
                | Self::SecretKeyNotFound
                | Self::TokenInvalid
                | Self::TokenRefused
                | Self::PermissionDenied
        )
    }

    /// The reason of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|reason| reason.to_string() == name)
    }

    /// Is it about a passing state of Astra, that a Ready object need not show at once?
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::AstraUnavailable | Self::KubernetesUnavailable | Self::RateLimited)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variants' names are the words.
        fmt::Debug::fmt(self, f)
    }
}

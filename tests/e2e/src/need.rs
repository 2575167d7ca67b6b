//! The capabilities that stacks have and scenarios need.

/// A capability that a scenario needs of a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Any API key is a client of its own.
    Clients,
    /// The queues can be read and written.
    Queue,
    /// The tables can be read and written.
    Tables,
    /// The functions can be invoked.
    Invoke,
    /// Outcomes are published on a bus that can be listened to.
    Events,
    /// The queue behaves as AWS documents it.
    ExactQueue,
    /// The gateway returns the template's gateway responses.
    GatewayResponses,
    /// Calls between the functions and the services can be observed and broken, and the functions' logs read.
    Faults,
    /// The stack is a `local`, so another one with other parameters can stand in for it.
    Parameters,
    /// No other scenario runs at the same time: this one uses the whole machine.
    Quiet,
}

impl Need {
    /// Returns why a stack may lack it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Clients => "API keys are the stack's own; only `local` takes any",
            Self::Queue | Self::Tables | Self::Invoke => {
                "only the API is known: `.ci/stack-env` prints the rest"
            }
            Self::Events => "the stack has no OutcomeBus, or only its API is known",
            Self::ExactQueue => "LocalStack's queue isn't as AWS documents it",
            Self::GatewayResponses => {
                "LocalStack reads no gateway responses from the OpenAPI document that SAM makes"
            }
            Self::Faults => "only `local` lets calls to the services be observed and broken",
            Self::Quiet => "it would break every function of a stack that others use",
            Self::Parameters => "shown on a `local` of its own, with other parameters",
        }
    }
}

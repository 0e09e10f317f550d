//! The command line.

use std::{str::FromStr, time::Duration};

use crate::Failure;

/// What to measure, and how.
#[derive(Debug)]
pub(crate) struct Flags {
    /// As Spell has it: `rs://` for RawSocket.
    pub(crate) url: String,
    pub(crate) realm: String,
    pub(crate) serialization: Serialization,
    pub(crate) workload: Workload,
    pub(crate) concurrency: usize,
    pub(crate) payload: usize,
    /// Operations in a repetition; 0: as many as take `seconds`.
    pub(crate) operations: u64,
    pub(crate) seconds: f64,
    pub(crate) warm: Option<u64>,
    pub(crate) repetitions: u32,
    pub(crate) multi_thread: bool,
    /// Processes whose CPU time is measured too.
    pub(crate) watched: Vec<u32>,
    pub(crate) timeout: Duration,
    pub(crate) label: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Serialization {
    Json,
    MsgPack,
    Cbor,
}

/// The kinds of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workload {
    /// Calls, one at a time.
    SeqCall,
    /// Calls, several under way.
    PipeCall,
    /// Acknowledged publications, several under way.
    PubAck,
    /// Publications without an answer, the last one acknowledged.
    Publish,
    /// Events, as fast as they come.
    Events,
    /// Events, in bursts of as many as may be under way.
    EventBursts,
    /// Invocations to answer.
    Callee,
    /// Sessions, opened one after another.
    Connect,
    /// The memory of sessions that do nothing.
    Idle,
}

impl Flags {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut flags = Self::default();
        while let Some(flag) = arguments.next() {
            let value = arguments
                .next()
                .ok_or_else(|| format!("{flag} needs a value"))?;
            flags
                .set(&flag, value)
                .map_err(|problem| format!("{flag}: {problem}"))?;
        }
        Ok(flags)
    }

    fn set(&mut self, flag: &str, value: String) -> Result<(), Failure> {
        match flag {
            "--url" => self.url = value.replacen("tcp://", "rs://", 1),
            "--realm" => self.realm = value,
            "--ser" => self.serialization = value.parse()?,
            "--wl" => self.workload = value.parse()?,
            "--conc" => self.concurrency = value.parse()?,
            "--payload" => self.payload = value.parse()?,
            "--n" => self.operations = value.parse()?,
            "--secs" => self.seconds = value.parse()?,
            "--warm" => self.warm = Some(value.parse()?),
            "--reps" => self.repetitions = value.parse()?,
            "--rt" => self.multi_thread = value == "mt",
            "--watch" => {
                let ids = value.split(',').filter(|id| !id.is_empty());
                self.watched = ids.map(str::parse).collect::<Result<_, _>>()?;
            }
            "--timeout" => self.timeout = Duration::try_from_secs_f64(value.parse()?)?,
            "--label" => self.label = value,
            _ => return Err("there is no such flag".into()),
        }
        Ok(())
    }

    /// As reports name it.
    pub(crate) fn transport(&self) -> &'static str {
        if self.url.starts_with("rs") {
            "raw"
        } else {
            "ws"
        }
    }
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            url: "ws://127.0.0.1:19000/ws".to_owned(),
            realm: "realm1".to_owned(),
            serialization: Serialization::Json,
            workload: Workload::SeqCall,
            concurrency: 64,
            payload: 16,
            operations: 0,
            seconds: 0.5,
            warm: None,
            repetitions: 3,
            multi_thread: false,
            watched: Vec::new(),
            timeout: Duration::from_secs(60),
            label: String::new(),
        }
    }
}

impl Serialization {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::MsgPack => "msgpack",
            Self::Cbor => "cbor",
        }
    }
}

impl FromStr for Serialization {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let all = [Self::Json, Self::MsgPack, Self::Cbor];
        named(text, all.into_iter().map(|each| (each.name(), each)))
    }
}

impl Workload {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SeqCall => "seqcall",
            Self::PipeCall => "pipecall",
            Self::PubAck => "puback",
            Self::Publish => "pubff",
            Self::Events => "events",
            Self::EventBursts => "evburst",
            Self::Callee => "callee",
            Self::Connect => "connect",
            Self::Idle => "idle",
        }
    }
}

impl FromStr for Workload {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let all = [
            Self::SeqCall,
            Self::PipeCall,
            Self::PubAck,
            Self::Publish,
            Self::Events,
            Self::EventBursts,
            Self::Callee,
            Self::Connect,
            Self::Idle,
        ];
        named(text, all.into_iter().map(|each| (each.name(), each)))
    }
}

fn named<T>(text: &str, mut all: impl Iterator<Item = (&'static str, T)>) -> Result<T, Failure> {
    let found = all.find(|(name, _)| *name == text);
    let (_, value) = found.ok_or_else(|| format!("there is no `{text}`"))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Flags, Failure> {
        Flags::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_are_read_in_any_order() -> Result<(), Failure> {
        let flags = parse("--wl callee --url tcp://127.0.0.1:9 --watch 7,8 --ser cbor --n 5")?;
        assert_eq!(flags.workload, Workload::Callee);
        assert_eq!(
            (flags.url.as_str(), flags.transport()),
            ("rs://127.0.0.1:9", "raw")
        );
        assert_eq!((flags.watched, flags.operations), (vec![7, 8], 5));
        assert_eq!(flags.serialization, Serialization::Cbor);
        Ok(())
    }

    #[test]
    fn what_is_no_flag_or_no_value_is_refused() {
        for line in [
            "--nothing 1",
            "--wl",
            "--wl nothing",
            "--n x",
            "--timeout -1",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}

//! Which messages outside threads belong to one conversation.
//!
//! Each message either goes on with one of the conversations of the last [`HORIZON`] or begins a new one. What speaks for going on is
//! weighed as `docs/quality.md` describes (weights fitted on the declared part of a public channel): how long ago the conversation was, how
//! much was said in between, who took part, who is mentioned, which words return. A decision rests only on what was said before, so it
//! is the same whether a channel is imported at once or followed message by message.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{Message, Timestamp};

/// How long nothing may be said in a conversation before it is over, in seconds.
pub const HORIZON: i64 = 24 * 60 * 60;
/// The most messages a conversation has, so that a document stays readable.
const LONGEST: usize = 300;
/// How many conversations a message may go on with: those last spoken in.
const CANDIDATES: usize = 6;
/// How many of a conversation's last messages are compared by their words.
const WORDS_OF: usize = 12;

/// What each signal weighs. They add up to the log odds that a message goes on with a conversation rather than begins one.
struct Weights {
    /// For any conversation.
    constant: f64,
    /// The logarithm of one plus the minutes since it was last spoken in.
    minutes: f64,
    /// The part of that beyond half an hour.
    beyond_half_hour: f64,
    /// Nothing was said elsewhere since.
    adjacent: f64,
    /// The logarithm of one plus the messages elsewhere since.
    between: f64,
    /// The speaker takes part in it.
    takes_part: f64,
    /// The speaker spoke last in it.
    spoke_last: f64,
    /// The message mentions somebody who takes part in it.
    mentions_participant: f64,
    /// The message mentions whoever spoke last in it.
    mentions_last: f64,
    /// The message mentions only others.
    mentions_others: f64,
    /// The speaker was mentioned in it.
    was_mentioned: f64,
    /// The logarithm of one plus the words that return.
    words: f64,
    /// A question from somebody who does not take part in it.
    newcomer_asks: f64,
    /// A short assent or thanks.
    assent: f64,
    /// The words that questions to everybody begin with.
    opening: f64,
    /// The speaker spoke last here.
    spoke_here: f64,
    /// The speaker spoke last in another conversation.
    spoke_elsewhere: f64,
    /// The logarithm of one plus the number of words.
    length: f64,
}

const WEIGHTS: Weights = Weights {
    constant: 3.83,
    minutes: -1.03,
    beyond_half_hour: 0.83,
    adjacent: -1.83,
    between: -2.3,
    takes_part: 0.84,
    spoke_last: 0.58,
    mentions_participant: 1.13,
    mentions_last: 1.76,
    mentions_others: -0.32,
    was_mentioned: 0.68,
    words: 0.37,
    newcomer_asks: -0.56,
    assent: 1.51,
    opening: -0.78,
    spoke_here: 1.0,
    spoke_elsewhere: 0.68,
    length: -0.21,
};

/// Groups the messages of one channel that are outside threads, in the order of their timestamps.
#[derive(Debug, Clone, Default)]
pub struct Grouper {
    /// The one last spoken in comes first.
    open: Vec<Conversation>,
    /// Where and when each person last spoke.
    last_spoke: HashMap<String, (u64, Timestamp)>,
    /// How many messages came.
    count: u64,
    /// The number of the next conversation.
    next: u64,
}

#[derive(Debug, Clone)]
struct Conversation {
    number: u64,
    last: Timestamp,
    last_speaker: String,
    /// What [`Grouper::count`] was at its last message.
    last_count: u64,
    messages: usize,
    speakers: HashSet<String>,
    mentioned: HashSet<String>,
    words: VecDeque<HashSet<String>>,
}

/// What is looked at in a message.
struct Looked<'a> {
    ts: Timestamp,
    speaker: &'a str,
    mentions: Vec<&'a str>,
    words: HashSet<String>,
    length: usize,
    asks: bool,
    assents: bool,
    opens: bool,
}

impl Grouper {
    /// The number of the conversation that the next message belongs to; numbers count from 0 in the order of beginnings.
    pub fn place(&mut self, message: &Message) -> u64 {
        let looked = Looked::at(message);
        let best = self
            .candidates(looked.ts)
            .map(|conversation| (self.odds(&looked, conversation), conversation.number))
            .filter(|(odds, _)| *odds > 0.0)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, number)| number);
        let number = best.unwrap_or(self.next);
        self.add(&looked, number);
        number
    }

    /// Takes note that the next message belongs to conversation `number`, as was decided earlier.
    pub fn remember(&mut self, message: &Message, number: u64) {
        self.add(&Looked::at(message), number);
    }

    fn candidates(&self, now: Timestamp) -> impl Iterator<Item = &Conversation> {
        self.open
            .iter()
            .filter(move |conversation| is_within(conversation.last, now) && conversation.messages < LONGEST)
            .take(CANDIDATES)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn odds(&self, message: &Looked<'_>, conversation: &Conversation) -> f64 {
        let given = |condition: bool, weight: f64| if condition { weight } else { 0.0 };
        let minutes = (message.ts.seconds_since(conversation.last).max(0.0) / 60.0).ln_1p();
        let between = self.count - conversation.last_count;
        let takes_part = conversation.speakers.contains(message.speaker);
        let mentions_participant = message
            .mentions
            .iter()
            .any(|user| conversation.speakers.contains(*user));
        let returning = message
            .words
            .iter()
            .filter(|word| conversation.words.iter().any(|said| said.contains(*word)))
            .count();
        let spoke = self
            .last_spoke
            .get(message.speaker)
            .filter(|(_, when)| is_within(*when, message.ts))
            .map(|(number, _)| *number == conversation.number);
        let w = &WEIGHTS;
        w.constant
            + w.minutes * minutes
            + w.beyond_half_hour * (minutes - 31_f64.ln()).max(0.0)
            + given(between == 0, w.adjacent)
            + w.between * (between as f64).ln_1p()
            + given(takes_part, w.takes_part)
            + given(conversation.last_speaker == message.speaker, w.spoke_last)
            + given(mentions_participant, w.mentions_participant)
            + given(
                message.mentions.contains(&conversation.last_speaker.as_str()),
                w.mentions_last,
            )
            + given(
                !message.mentions.is_empty() && !mentions_participant,
                w.mentions_others,
            )
            + given(conversation.mentioned.contains(message.speaker), w.was_mentioned)
            + w.words * (returning as f64).ln_1p()
            + given(message.asks && !takes_part, w.newcomer_asks)
            + given(message.assents, w.assent)
            + given(message.opens, w.opening)
            + given(spoke == Some(true), w.spoke_here)
            + given(spoke == Some(false), w.spoke_elsewhere)
            + w.length * (message.length as f64).ln_1p()
    }

    fn add(&mut self, message: &Looked<'_>, number: u64) {
        let at = self
            .open
            .iter()
            .position(|conversation| conversation.number == number);
        let mut conversation = at.map_or_else(
            || Conversation {
                number,
                last: message.ts,
                last_speaker: String::new(),
                last_count: 0,
                messages: 0,
                speakers: HashSet::new(),
                mentioned: HashSet::new(),
                words: VecDeque::with_capacity(WORDS_OF),
            },
            |at| self.open.remove(at),
        );
        self.count += 1;
        self.next = self.next.max(number + 1);
        conversation.last = message.ts;
        message.speaker.clone_into(&mut conversation.last_speaker);
        conversation.last_count = self.count;
        conversation.messages += 1;
        conversation.speakers.insert(message.speaker.to_owned());
        conversation
            .mentioned
            .extend(message.mentions.iter().map(|user| (*user).to_owned()));
        if conversation.words.len() == WORDS_OF {
            conversation.words.pop_front();
        }
        conversation.words.push_back(message.words.clone());
        self.last_spoke
            .insert(message.speaker.to_owned(), (number, message.ts));
        self.open.insert(0, conversation);
        self.open
            .retain(|conversation| is_within(conversation.last, message.ts));
    }
}

/// Whether `earlier` lies within the horizon before `now`.
fn is_within(earlier: Timestamp, now: Timestamp) -> bool {
    now.micros() - earlier.micros() <= HORIZON * 1_000_000
}

impl<'a> Looked<'a> {
    fn at(message: &'a Message) -> Self {
        let (mut mentions, mut prose) = (Vec::new(), String::with_capacity(message.text.len()));
        let mut rest = message.text.as_str();
        while let Some((before, after)) = rest.split_once('<') {
            prose.push_str(before);
            prose.push(' ');
            let (inner, next) = after.split_once('>').unwrap_or((after, ""));
            if let Some(user) = inner.strip_prefix('@') {
                mentions.push(user.split('|').next().unwrap_or(user));
            }
            rest = next;
        }
        prose.push_str(rest);
        let prose = prose.to_lowercase();
        let start = prose.trim_start_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
        let length = prose.split_whitespace().count();
        let begins = |phrases: &[&str]| {
            phrases.iter().any(|phrase| {
                start
                    .strip_prefix(phrase)
                    .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            })
        };
        Self {
            ts: message.ts,
            speaker: &message.user,
            mentions,
            length,
            asks: prose.contains('?'),
            assents: length <= 8 && (begins(ASSENTS) || prose.trim_start().starts_with(':')),
            opens: begins(OPENINGS),
            words: prose
                .split(char::is_whitespace)
                .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
                .filter(|word| word.chars().nth(3).is_some() && !COMMON.contains(word))
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// How short assent and thanks begin.
const ASSENTS: &[&str] = &[
    "thanks",
    "thank you",
    "thx",
    "ty",
    "ok",
    "okay",
    "yes",
    "yeah",
    "yep",
    "no",
    "nope",
    "ah",
    "oh",
    "hmm",
    "cool",
    "great",
    "nice",
    "sure",
    "right",
    "exactly",
    "got it",
    "haha",
    "lol",
    "interesting",
    "danke",
    "ja",
    "nein",
    "merci",
    "oui",
    "non",
    "gracias",
    "sí",
    "vale",
    "obrigado",
    "sim",
    "grazie",
];

/// How questions to everybody begin.
const OPENINGS: &[&str] = &[
    "hi",
    "hello",
    "hey",
    "good morning",
    "question",
    "is there",
    "does anyone",
    "has anyone",
    "anyone",
    "anybody",
    "how do",
    "how can",
    "how to",
    "how would",
    "i'm trying",
    "i am trying",
    "what's the",
    "what is the",
    "hallo",
    "guten morgen",
    "bonjour",
    "salut",
    "hola",
    "buenos días",
    "olá",
    "ciao",
];

/// Words of four letters and more that return in any conversation.
const COMMON: &[&str] = &[
    "about",
    "actually",
    "after",
    "also",
    "anything",
    "because",
    "been",
    "before",
    "being",
    "could",
    "doing",
    "does",
    "don't",
    "even",
    "from",
    "going",
    "good",
    "have",
    "here",
    "into",
    "it's",
    "just",
    "know",
    "like",
    "make",
    "maybe",
    "might",
    "more",
    "much",
    "need",
    "okay",
    "only",
    "other",
    "over",
    "really",
    "right",
    "should",
    "some",
    "something",
    "still",
    "sure",
    "than",
    "thank",
    "thanks",
    "that",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "think",
    "this",
    "those",
    "used",
    "using",
    "very",
    "want",
    "well",
    "were",
    "what",
    "when",
    "where",
    "which",
    "will",
    "with",
    "would",
    "yeah",
    "your",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(seconds: i64, user: &str, text: &str) -> Message {
        Message {
            ts: Timestamp::from_micros(1_500_000_000_000_000 + seconds * 1_000_000),
            thread: None,
            user: user.to_owned(),
            text: text.to_owned(),
            files: Vec::new(),
            edited: None,
            latest_reply: None,
        }
    }

    fn groups(messages: &[Message]) -> Vec<u64> {
        let mut grouper = Grouper::default();
        messages.iter().map(|message| grouper.place(message)).collect()
    }

    #[test]
    fn two_conversations_at_the_same_time_are_kept_apart_by_mentions() {
        let messages = [
            said(
                0,
                "UA",
                "How do I rotate the signing keys of the billing service?",
            ),
            said(
                40,
                "UB",
                "Does anyone know when the kitchen is closed for cleaning?",
            ),
            said(70, "UC", "<@UA> the signing keys rotate with the deploy script"),
            said(90, "UD", "<@UB> the kitchen is closed on Friday"),
            said(
                120,
                "UA",
                "<@UC> and the billing service picks the keys up by itself?",
            ),
            said(140, "UB", "<@UD> thanks!"),
        ];
        assert_eq!(groups(&messages), [0, 1, 0, 1, 0, 1]);
    }

    #[test]
    fn a_conversation_ends_with_a_long_silence() {
        let messages = [
            said(0, "UA", "The release is out"),
            said(30, "UB", "great"),
            said(26 * 3600, "UB", "great"),
        ];
        assert_eq!(groups(&messages), [0, 0, 1]);
    }

    #[test]
    fn a_conversation_does_not_grow_without_end() {
        let messages: Vec<_> = (0..700_i64)
            .map(|n| said(n * 5, if n % 2 == 0 { "UA" } else { "UB" }, "yes and then some"))
            .collect();
        let groups = groups(&messages);
        assert_eq!((groups[0], groups[299], groups[300], groups[699]), (0, 0, 1, 2));
    }

    proptest! {
        #[test]
        fn what_was_decided_earlier_gives_the_same_decisions_later(
            messages in prop::collection::vec((1_i64..4_000, 0_u8..5, "(<@U[A-E]> )?[a-d]{4}( [a-d]{4}){0,4}\\??"), 1..60),
            cut in 0_usize..60
        ) {
            let mut time = 0;
            let messages: Vec<_> = messages.into_iter().map(|(gap, user, text)| {
                time += gap;
                said(time, &format!("U{}", char::from(b'A' + user)), &text)
            }).collect();
            let at_once = groups(&messages);
            let mut grouper = Grouper::default();
            let followed: Vec<u64> = messages.iter().enumerate().map(|(at, message)| {
                if at < cut {
                    grouper.remember(message, at_once[at]);
                    at_once[at]
                } else {
                    grouper.place(message)
                }
            }).collect();
            prop_assert_eq!(followed, at_once);
        }
    }
}

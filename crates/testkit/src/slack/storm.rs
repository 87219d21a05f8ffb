//! Many people who write to the app, as Slack tells of it when the network is bad: late, twice, in another order. And what each of them
//! got in the end.

use std::collections::HashMap;
use std::ops::Range;

use amebo_core::Environment;
use serde_json::Value;

use super::world::{Ids, World};
use super::{FakeSlack, SignedRequest, shuffled_with_duplicates};

/// How many messages are under way at a time in one conversation; they may overtake one another.
const UNDER_WAY: usize = 3;

/// One conversation: somebody writes to the app directly, or mentions it in a thread of a channel.
#[derive(Debug, Clone)]
pub struct Talk {
    team: String,
    user: String,
    place: String,
    direct: bool,
    thread: Option<String>,
    heard: Vec<usize>,
}

/// What became of what was said in one conversation, or in several.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Reckoning {
    /// Messages that were said to the app.
    pub said: usize,
    /// Messages that the app said.
    pub outcomes: usize,
    /// Messages of people that got nothing.
    pub missing: usize,
    /// Messages of the app that nobody had coming: a second answer, or one to nothing.
    pub surplus: usize,
    /// Answers that came before the answer to what was heard earlier.
    pub out_of_order: usize,
    /// Outcomes that name no question, such as apologies; their order is not known.
    pub unnamed: usize,
}

impl Reckoning {
    /// Whether everything said got one outcome, in its order.
    pub fn is_clean(&self) -> bool {
        self.said == self.outcomes && self.missing + self.surplus + self.out_of_order == 0
    }
}

impl std::iter::Sum for Reckoning {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            said: sum.said + one.said,
            outcomes: sum.outcomes + one.outcomes,
            missing: sum.missing + one.missing,
            surplus: sum.surplus + one.surplus,
            out_of_order: sum.out_of_order + one.out_of_order,
            unnamed: sum.unnamed + one.unnamed,
        })
    }
}

/// The number of a message of a storm, which its text ends with.
pub fn number_of(text: &str) -> Option<usize> {
    let (_, number) = text.rsplit_once("(entry ")?;
    number.split(')').next()?.parse().ok()
}

impl Talk {
    /// The conversation of number `number` in a workspace, with a person of its own: every other one directly, the rest in a thread
    /// of a channel of its own, in which the app is.
    pub fn begin(slack: &FakeSlack, team: &str, number: usize) -> Self {
        let mut world = slack.world();
        let user = format!("U{number:07}W");
        let name = format!("person{number}");
        world.add_user(team, &user, &name, &format!("{name}@{team}.example"));
        let direct = number.is_multiple_of(2);
        let place = if direct {
            world.direct(team, &user)
        } else {
            let place = format!("C{number:07}W");
            let members = [user.as_str(), Ids::BOT_USER];
            world.add_channel(team, &place, &format!("channel{number}"), false, &members);
            place
        };
        Self {
            team: team.to_owned(),
            user,
            place,
            direct,
            thread: None,
            heard: Vec::new(),
        }
    }

    /// Says the messages of these numbers to the app, some at a time, and hands what Slack sends to `send`, one request after the
    /// other. `send` returns once the request was acknowledged. The order in which messages were acknowledged first is the order
    /// in which they are to be answered.
    ///
    /// # Errors
    ///
    /// What `send` could not do.
    pub async fn say<E, F: Future<Output = Result<(), E>>>(
        &mut self,
        slack: &FakeSlack,
        environment: &Environment,
        numbers: Range<usize>,
        text: impl Fn(usize) -> String,
        mut send: impl FnMut(SignedRequest) -> F,
    ) -> Result<(), E> {
        let numbers: Vec<usize> = numbers.collect();
        for some in numbers.chunks(UNDER_WAY) {
            let mut requests = Vec::new();
            let mut by_body = HashMap::new();
            for number in some {
                let said = format!("{} (entry {number})", text(*number));
                for (is_call, request) in self.events_of(slack, &said) {
                    if is_call {
                        by_body.insert(request.body.clone(), *number);
                    }
                    requests.push(request);
                }
            }
            for request in shuffled_with_duplicates(&requests, environment) {
                let number = by_body.get(&request.body).copied();
                send(request).await?;
                self.heard
                    .extend(number.filter(|number| !self.heard.contains(number)));
            }
        }
        Ok(())
    }

    /// Says something; returns what Slack sends, and whether it is what calls the app. A mention comes as a message as well.
    fn events_of(&mut self, slack: &FakeSlack, text: &str) -> Vec<(bool, SignedRequest)> {
        let mut world = slack.world();
        let text = if self.direct {
            text.to_owned()
        } else {
            format!("<@{}> {text}", Ids::BOT_USER)
        };
        let message = world.say(&self.team, &self.place, &self.user, &text, self.thread.as_deref());
        let mut event = |mention| world.message_event(&self.team, &self.place, &message, mention);
        let events = if self.direct {
            vec![(true, event(false))]
        } else {
            vec![(true, event(true)), (false, event(false))]
        };
        drop(world);
        if !self.direct && self.thread.is_none() {
            self.thread = message["ts"].as_str().map(str::to_owned);
        }
        events
            .into_iter()
            .map(|(is_call, event)| (is_call, slack.signed_json(&event)))
            .collect()
    }

    /// How many messages were acknowledged so far.
    pub fn heard(&self) -> usize {
        self.heard.len()
    }

    /// What the app said in it, oldest first: the id of the question each answers, where it names one.
    pub fn outcomes(&self, world: &World) -> Vec<Option<String>> {
        let messages = world.messages(&self.team, &self.place);
        messages
            .iter()
            .filter(|message| message["user"] == Ids::BOT_USER)
            .filter(|message| self.direct || message["thread_ts"].as_str() == self.thread.as_deref())
            .map(question_of)
            .collect()
    }

    /// Compares what was said with what came, given the number of the message that each question was.
    pub fn reckon(&self, world: &World, numbers: &HashMap<String, usize>) -> Reckoning {
        let outcomes = self.outcomes(world);
        let places: Vec<usize> = outcomes
            .iter()
            .filter_map(|question| numbers.get(question.as_ref()?))
            .filter_map(|number| self.heard.iter().position(|heard| heard == number))
            .collect();
        let mut distinct = places.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let unnamed = outcomes.len() - places.len();
        let twice = places.len() - distinct.len();
        let without = self.heard.len() - distinct.len();
        Reckoning {
            said: self.heard.len(),
            outcomes: outcomes.len(),
            missing: without.saturating_sub(unnamed),
            surplus: twice + unnamed.saturating_sub(without),
            out_of_order: places.windows(2).filter(|pair| pair[0] > pair[1]).count(),
            unnamed,
        }
    }
}

/// The question that a message answers, as its buttons for rating name it.
fn question_of(message: &Value) -> Option<String> {
    let text = message["blocks"].to_string();
    let (_, rest) = text.split_once("\"up:")?;
    rest.split_once('"').map(|(id, _)| id.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A conversation in which messages 1, 2 and 3 were heard, and the app said what answers these questions.
    async fn reckoned(questions: &[Option<&str>]) -> Reckoning {
        let slack = FakeSlack::start(Environment::system()).await;
        let mut talk = Talk::begin(&slack, Ids::TEAM, 2);
        talk.heard = vec![1, 2, 3];
        let mut world = slack.world();
        for question in questions {
            let value = question.map(|question| format!("up:{question}"));
            let ts = world.next_ts();
            let message = json!({ "user": Ids::BOT_USER, "ts": ts, "blocks": [{ "value": value }] });
            world.store(Ids::TEAM, &talk.place, message);
        }
        let numbers = ["one", "two", "three"]
            .into_iter()
            .zip(1..)
            .map(|(id, number)| (id.to_owned(), number))
            .collect();
        talk.reckon(&world, &numbers)
    }

    #[tokio::test]
    async fn only_one_outcome_each_in_their_order_is_clean() {
        assert!(
            reckoned(&[Some("one"), Some("two"), Some("three")])
                .await
                .is_clean()
        );
        assert!(reckoned(&[Some("one"), None, Some("three")]).await.is_clean());
        let late = reckoned(&[Some("two"), Some("one"), Some("three")]).await;
        assert_eq!((late.out_of_order, late.missing, late.surplus), (1, 0, 0));
        let twice = reckoned(&[Some("one"), Some("one"), Some("three")]).await;
        assert_eq!((twice.missing, twice.surplus), (1, 1));
        let more = reckoned(&[Some("one"), Some("two"), Some("three"), None]).await;
        assert_eq!((more.missing, more.surplus), (0, 1));
        assert_eq!(reckoned(&[None]).await.missing, 2);
    }
}

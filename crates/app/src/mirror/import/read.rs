//! Reading an archive from its beginning to its end, on a thread of its own, in parts that fit a transaction.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io;

use amebo_channels::slack::export::{Channel, Error, Export, Limits, Problem, User};
use amebo_channels::slack::transcript::{LeftOut, Message, Names, is_id};
use amebo_core::slack::SlackChannelKind;
use amebo_store::slack::{NewSlackChannel, NewSlackUser};
use tokio::sync::mpsc;

/// How many messages are stored in one transaction, about.
const AT_ONCE: usize = 4_000;
/// How many days are, at most.
const DAYS_AT_ONCE: u64 = 500;
/// How many users or channels are stored in one transaction.
const PEOPLE_AT_ONCE: usize = 2_000;

/// What the reader hands to the writer.
pub(super) enum Part {
    /// The workspace that most of its users belong to; before anything else.
    Workspace(String),
    Users(Vec<NewSlackUser>),
    Channels(Vec<ReadChannel>),
    Extent(Extent),
    Days(Days),
}

/// A channel as an export describes it.
pub(super) struct ReadChannel {
    pub new: NewSlackChannel,
    pub members: Vec<String>,
    /// Its folder, when it is not its id.
    pub folder: Option<String>,
}

/// How much there is, and what is left out of it from the beginning.
pub(super) struct Extent {
    pub days: u64,
    pub bytes: u64,
    pub users: u64,
    pub channels: u64,
    pub problems: Vec<Problem>,
}

/// Some days in a row.
#[derive(Default)]
pub(super) struct Days {
    pub count: u64,
    pub bytes: u64,
    /// Messages by folder.
    pub messages: BTreeMap<String, Vec<Message>>,
    /// Folders that end with these days.
    pub complete: Vec<String>,
    pub left_out: HashMap<LeftOut, u64>,
    pub problems: Vec<Problem>,
}

/// Reads an archive and hands it on part by part, without the first `skip` days. Stops when nobody takes the parts any more.
pub(super) fn read_archive(file: File, skip: u64, parts: &mpsc::Sender<Part>) -> Result<(), Error> {
    let mut export = Export::open(io::BufReader::with_capacity(1 << 16, file), Limits::default())?;
    let mut problems = export.problems().to_vec();
    if let Some(workspace) = workspace(&mut export)
        && parts.blocking_send(Part::Workspace(workspace)).is_err()
    {
        return Ok(());
    }
    let (mut names, mut bots, mut users) = (Names::default(), HashSet::new(), Vec::new());
    let (mut user_count, mut channel_count) = (0, 0);
    let mut is_wanted = true;
    let read = export.users(|user| {
        if user.is_bot() {
            bots.insert(user.id.clone());
        }
        let Some(user) = new_user(&user) else { return };
        names.users.insert(user.external.clone(), user.name.clone());
        user_count += 1;
        users.push(user);
        if users.len() == PEOPLE_AT_ONCE {
            is_wanted &= parts
                .blocking_send(Part::Users(std::mem::take(&mut users)))
                .is_ok();
        }
    });
    problems.extend(read.err());
    is_wanted &= parts.blocking_send(Part::Users(users)).is_ok();
    let mut channels = Vec::new();
    let broken = export.channels(|kind, channel| {
        let Some(channel) = read_channel(kind, channel, &names) else {
            return;
        };
        channel_count += 1;
        channels.push(channel);
        if channels.len() == PEOPLE_AT_ONCE {
            is_wanted &= parts
                .blocking_send(Part::Channels(std::mem::take(&mut channels)))
                .is_ok();
        }
    });
    problems.extend(broken);
    is_wanted &= parts.blocking_send(Part::Channels(channels)).is_ok();
    let days = export.days().to_vec();
    let extent = Part::Extent(Extent {
        days: days.len() as u64,
        bytes: days.iter().map(|day| day.bytes).sum(),
        users: user_count,
        channels: channel_count,
        problems,
    });
    if !is_wanted || parts.blocking_send(extent).is_err() {
        return Ok(());
    }
    let mut part = Days::default();
    let mut held = 0;
    let skip = usize::try_from(skip).unwrap_or(usize::MAX);
    for (at, day) in days.iter().enumerate().skip(skip) {
        part.count += 1;
        part.bytes += day.bytes;
        match export.messages(day, |user| bots.contains(user)) {
            Ok(messages) => {
                held += messages.kept.len();
                part.messages
                    .entry(day.folder.clone())
                    .or_default()
                    .extend(messages.kept);
                for (reason, count) in messages.left_out {
                    *part.left_out.entry(reason).or_default() += count;
                }
            }
            Err(problem) => part.problems.push(problem),
        }
        if days.get(at + 1).is_none_or(|next| next.folder != day.folder) {
            part.complete.push(day.folder.clone());
        }
        if held >= AT_ONCE || part.count >= DAYS_AT_ONCE {
            held = 0;
            if parts
                .blocking_send(Part::Days(std::mem::take(&mut part)))
                .is_err()
            {
                return Ok(());
            }
        }
    }
    // Nobody takes it only when the job has ended.
    let _ = parts.blocking_send(Part::Days(part));
    Ok(())
}

/// Which workspace was exported. Its users come with those of others that share channels with it; a list that cannot be read tells
/// nothing, and is complained of when it is read for the users themselves.
fn workspace(export: &mut Export<impl io::Read + io::Seek>) -> Option<String> {
    let mut users_of: BTreeMap<String, usize> = BTreeMap::new();
    let _ = export.users(|user| {
        if let Some(team) = user.team_id.filter(|team| is_id(team)) {
            *users_of.entry(team).or_default() += 1;
        }
    });
    let (workspace, _) = users_of.into_iter().max_by_key(|(_, users)| *users)?;
    Some(workspace)
}

fn new_user(user: &User) -> Option<NewSlackUser> {
    is_id(&user.id).then(|| NewSlackUser {
        external: user.id.clone(),
        name: clean(user.display_name(), 200),
        email: user.email().filter(|email| !email.chars().any(char::is_control)),
        is_bot: user.is_bot(),
        is_deleted: user.deleted,
    })
}

fn read_channel(kind: SlackChannelKind, channel: Channel, names: &Names) -> Option<ReadChannel> {
    let name = clean(&channel.title(kind, names), 1_000);
    let folder = channel.name().map(str::to_owned);
    is_id(&channel.id).then_some(ReadChannel {
        new: NewSlackChannel {
            external: channel.id,
            kind,
            name,
            is_archived: channel.is_archived,
            is_shared: channel.is_ext_shared,
            is_open: false,
            members: Some(channel.members.len() as u64),
            began_at: None,
        },
        members: channel.members,
        folder,
    })
}

/// The text without control characters, at most so many characters.
fn clean(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

//! The channels on which people reach Amebo, and how far a message sent there has come.

use crate::permission::named_enum;

named_enum! {
    /// A platform on which people write to Amebo.
    pub enum ChannelKind {
        /// Slack.
        Slack = "slack",
        /// Microsoft Teams.
        Teams = "teams",
        /// WhatsApp, by Meta's Cloud API.
        WhatsApp = "whatsapp",
        /// Telegram.
        Telegram = "telegram",
        /// LINE.
        Line = "line",
        /// WeChat, official accounts.
        WeChat = "wechat",
        /// The widget on a web page.
        Widget = "widget",
        /// E-mail.
        Email = "email",
        /// HighLevel's conversations.
        HighLevel = "highlevel",
    }
}

named_enum! {
    /// How far a message to a person has come. The order is that of declaration: news that come late or twice never take a
    /// message back, and a platform that reports a failure first and the delivery afterwards is believed the delivery.
    pub enum DeliveryStatus {
        /// Waits to be sent.
        Queued = "queued",
        /// The platform took it.
        Sent = "sent",
        /// It will not arrive.
        Failed = "failed",
        /// It arrived on the person's device.
        Delivered = "delivered",
        /// The person has seen it.
        Read = "read",
    }
}

impl DeliveryStatus {
    /// The status after hearing `news`: the further of the two.
    #[must_use]
    pub fn advanced(self, news: Self) -> Self {
        self.max(news)
    }

    /// Whether nothing more is to be done to send it.
    pub fn is_settled(self) -> bool {
        self != Self::Queued
    }
}

named_enum! {
    /// Whether a connected account can be used.
    pub enum ConnectionStatus {
        /// Described, but not yet authorised on the platform.
        Pending = "pending",
        /// In use.
        Active = "active",
        /// Its credentials no longer work; somebody has to authorise it again.
        NeedsAttention = "needs_attention",
        /// Ended here or on the platform. Nothing is accepted from it and nothing sent.
        Disconnected = "disconnected",
    }
}

impl ConnectionStatus {
    /// Whether events of the account are accepted. One whose credentials lapsed still hears, so that nothing is lost meanwhile.
    pub fn accepts_events(self) -> bool {
        matches!(self, Self::Active | Self::NeedsAttention)
    }
}

named_enum! {
    /// Who said something in a conversation.
    pub enum Sender {
        /// The person who writes to Amebo.
        User = "user",
        /// Amebo.
        Assistant = "assistant",
        /// A colleague who took over.
        HumanAgent = "human_agent",
        /// The product itself, such as a notice that somebody took over.
        System = "system",
    }
}

named_enum! {
    /// What form an utterance has.
    pub enum MessageType {
        /// Words.
        Text = "text",
        /// A picture.
        Image = "image",
        /// Another file.
        File = "file",
        /// Speech.
        Audio = "audio",
        /// A place.
        Location = "location",
        /// A button was pressed.
        ButtonResponse = "button_response",
        /// Written by colleagues for colleagues; never sent.
        Note = "note",
    }
}

named_enum! {
    /// What became of an accepted webhook.
    pub enum InboundState {
        /// Stored; its job is to come.
        Accepted = "accepted",
        /// Dealt with.
        Processed = "processed",
        /// It could not be dealt with; there is a reason.
        Failed = "failed",
    }
}

named_enum! {
    /// What an account says of a person who writes from it.
    pub enum Standing {
        /// One of its own people.
        Colleague = "colleague",
        /// A guest there, who sees what they were invited to.
        Guest = "guest",
        /// From another company, or anybody from the street.
        Stranger = "stranger",
        /// A program.
        Bot = "bot",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_only_moves_forward_whatever_order_its_news_come_in() {
        for first in DeliveryStatus::ALL {
            for second in DeliveryStatus::ALL {
                let both = first.advanced(*second);
                assert_eq!(both, second.advanced(*first));
                assert!(both >= *first && both >= *second);
            }
        }
        assert_eq!(
            DeliveryStatus::Failed.advanced(DeliveryStatus::Delivered),
            DeliveryStatus::Delivered
        );
        assert_eq!(
            DeliveryStatus::Read.advanced(DeliveryStatus::Failed),
            DeliveryStatus::Read
        );
    }
}

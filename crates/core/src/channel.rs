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

-- Whoever answers in a channel of Slack looks for its mirror by Slack's id.
create index slack_channels_called on slack_channels (organization_id, external_id);

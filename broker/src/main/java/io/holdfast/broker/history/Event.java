package io.holdfast.broker.history;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * Something that happened; component names are those of /events.
 *
 * @param time RFC 3339
 * @param kind {@code audit}: somebody did it; {@code broker}: the broker noticed it
 * @param user who did it; empty for the broker
 * @param remoteAddress from where; empty for the broker
 * @param action such as {@code topic.create}; of the broker the level, in lower case
 * @param topic empty for none
 * @param channel empty for none
 * @param result {@code ok}, {@code refused} or {@code failed}; empty for the broker
 * @param message for people
 */
public record Event(
    @JsonProperty("time") String time,
    @JsonProperty("kind") String kind,
    @JsonProperty("user") String user,
    @JsonProperty("remote_address") String remoteAddress,
    @JsonProperty("action") String action,
    @JsonProperty("topic") String topic,
    @JsonProperty("channel") String channel,
    @JsonProperty("result") String result,
    @JsonProperty("message") String message) {}

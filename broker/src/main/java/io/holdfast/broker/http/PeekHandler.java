package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Peeked;
import io.holdfast.broker.queue.PeekedMessage;
import io.holdfast.broker.queue.Position;
import io.holdfast.broker.queue.Topic;
import io.holdfast.broker.queue.Waiting;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** /topic/peek and /channel/peek: look at messages and change nothing. Stateless; block (disk). */
final class PeekHandler {
  private static final int DEFAULT_MESSAGES = 10;
  private static final int MAX_MESSAGES = 1000;
  private static final int DEFAULT_BODY_BYTES = 4096;
  private static final int MAX_BODY_BYTES = 1 << 20;
  private static final long MAX_REPLY_BYTES = 16 << 20;
  private static final long NS_PER_S = 1_000_000_000L;

  private static final Map<String, Waiting.State> STATES =
      Map.of(
          "ready", Waiting.State.READY,
          "in_flight", Waiting.State.IN_FLIGHT,
          "deferred", Waiting.State.DEFERRED,
          "dead", Waiting.State.DEAD);

  private final Broker broker;

  PeekHandler(Broker broker) {
    this.broker = broker;
  }

  /** GET /topic/peek. */
  HttpReply topic(ApiRequest request) throws HttpError, IOException {
    QueryParams params = request.params();
    String name = AdminHandler.requireTopicArgument(params);
    Topic topic = broker.existingTopic(name);
    if (topic == null) {
      throw HttpError.notFound("TOPIC_NOT_FOUND");
    }
    Position from = MessagePosition.parse(params.get("from"), Position.START, "INVALID_ARG_FROM");
    int max = params.number("n", DEFAULT_MESSAGES, 1, MAX_MESSAGES, "INVALID_ARG_N");
    int bytes = params.number("bytes", DEFAULT_BODY_BYTES, 0, maxBodyBytes(), "INVALID_ARG_BYTES");
    Peeked peeked = topic.peek().from(from, max, bytes, MAX_REPLY_BYTES);
    return HttpReply.json(
        new TopicPeek(
            name,
            peeked.messages().stream().map(Entry::of).toList(),
            peeked.next() == Peeked.NONE ? null : MessagePosition.hex(peeked.next())));
  }

  /** GET /channel/peek. */
  HttpReply channel(ApiRequest request) throws HttpError, IOException {
    QueryParams params = request.params();
    AdminHandler.TopicChannel names = AdminHandler.requireNames(params);
    Topic topic = broker.existingTopic(names.topic());
    if (topic == null) {
      throw HttpError.notFound("TOPIC_NOT_FOUND");
    }
    Channel channel = topic.existingChannel(names.channel());
    if (channel == null) {
      throw HttpError.notFound("CHANNEL_NOT_FOUND");
    }
    String name = params.get("state");
    Waiting.State state = name == null ? Waiting.State.READY : STATES.get(name);
    if (state == null) {
      throw HttpError.badRequest("INVALID_ARG_STATE");
    }
    int max = params.number("n", DEFAULT_MESSAGES, 1, MAX_MESSAGES, "INVALID_ARG_N");
    int bytes = params.number("bytes", DEFAULT_BODY_BYTES, 0, maxBodyBytes(), "INVALID_ARG_BYTES");
    return HttpReply.json(
        new ChannelPeek(
            names.topic(),
            names.channel(),
            state.name().toLowerCase(Locale.ROOT),
            topic.peek().first(channel, state, max, bytes, MAX_REPLY_BYTES).stream()
                .map(message -> Entry.of(message, names.topic()))
                .toList()));
  }

  /** A whole message in any case, or nobody could copy it. */
  private int maxBodyBytes() {
    return Math.max(MAX_BODY_BYTES, broker.options().maxMsgSize());
  }

  private record TopicPeek(
      @JsonProperty("topic") String topic,
      @JsonProperty("messages") List<Entry> messages,
      @JsonProperty("next") @JsonInclude String next) {}

  private record ChannelPeek(
      @JsonProperty("topic") String topic,
      @JsonProperty("channel") String channel,
      @JsonProperty("state") String state,
      @JsonProperty("messages") List<Entry> messages) {}

  /** One message; a body that is no UTF-8 goes as base64. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Entry(
      @JsonProperty("topic") String topic,
      @JsonProperty("id") String id,
      @JsonProperty("time") String time,
      @JsonProperty("timestamp") long timestamp,
      @JsonProperty("attempts") Integer attempts,
      @JsonProperty("size") int size,
      @JsonProperty("truncated") boolean truncated,
      @JsonProperty("body") String body,
      @JsonProperty("body_base64") String bodyBase64,
      @JsonProperty("due") String due,
      @JsonProperty("reason") String reason,
      @JsonProperty("died") String died) {
    static Entry of(PeekedMessage message) {
      return of(message, null);
    }

    /** One of a channel; a dead letter says also whose it is. */
    static Entry of(PeekedMessage message, String topic) {
      byte[] body = message.body();
      long seconds = Math.floorDiv(message.timestampNs(), NS_PER_S);
      long nanos = Math.floorMod(message.timestampNs(), NS_PER_S);
      return new Entry(
          message.reason() == null ? null : topic,
          MessagePosition.hex(message.id()),
          Instant.ofEpochSecond(seconds, nanos).toString(),
          message.timestampNs(),
          message.attempts() < 0 ? null : message.attempts(),
          message.size(),
          body.length < message.size(),
          message.isText() ? new String(body, StandardCharsets.UTF_8) : null,
          message.isText() ? null : Base64.getEncoder().encodeToString(body),
          time(message.dueMs()),
          message.reason(),
          time(message.diedMs()));
    }

    private static String time(long ms) {
      return ms == 0 ? null : Instant.ofEpochMilli(ms).toString();
    }
  }
}

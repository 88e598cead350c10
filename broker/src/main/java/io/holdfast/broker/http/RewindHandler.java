package io.holdfast.broker.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.core.Broker;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.Position;
import io.holdfast.broker.queue.Rewound;
import io.holdfast.broker.queue.UnknownMessageException;
import java.io.IOException;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * /channel/rewind: puts a channel to another position. On disk when it is answered. Stateless;
 * blocks (disk).
 */
final class RewindHandler {
  private static final Logger LOG = LoggerFactory.getLogger(RewindHandler.class);
  private static final long NS_PER_S = 1_000_000_000L;

  private final Broker broker;

  RewindHandler(Broker broker) {
    this.broker = broker;
  }

  void addRoutes(HttpApi.Routes to, Workers workers) {
    to.addOfTopic(
        Right.ADMIN,
        "POST",
        "/channel/rewind",
        workers.blocking(this::rewind),
        "topic",
        "channel",
        "to");
  }

  private HttpReply rewind(ApiRequest request) throws HttpError, IOException {
    QueryParams params = request.params();
    Channel channel = AdminHandler.requireChannel(broker, params);
    String to = params.get("to");
    if (to == null) {
      throw HttpError.badRequest("MISSING_ARG_TO");
    }
    Position position = MessagePosition.parse(to, null, "INVALID_ARG_TO");
    requireLasting(channel.isEphemeral());
    try {
      Rewound rewound =
          AdminHandler.requireTopic(broker, channel.topicName()).rewind(channel.name(), position);
      return HttpReply.json(Answer.of(rewound));
    } catch (BrokerException e) {
      throw refused(channel.topicName(), channel.name(), e);
    }
  }

  /** An ephemeral channel has no position: 400. */
  static void requireLasting(boolean isEphemeral) throws HttpError {
    if (isEphemeral) {
      throw HttpError.badRequest("EPHEMERAL_CHANNEL");
    }
  }

  /** What is said of a position that a channel cannot have, or not now. */
  static HttpError refused(String topic, String channel, BrokerException e) {
    if (e instanceof UnknownMessageException) {
      return HttpError.notFound("MESSAGE_NOT_FOUND");
    }
    LOG.warn("TOPIC({}) CHANNEL({}): no other position: {}", topic, channel, e.getMessage());
    return HttpError.failed(e);
  }

  /** Both null at the end. */
  @JsonInclude
  private record Answer(
      @JsonProperty("id") String id,
      @JsonProperty("time") String time,
      @JsonProperty("ready") long ready,
      @JsonProperty("skipped") long skipped) {
    static Answer of(Rewound rewound) {
      Long ns = rewound.timestampNs();
      return new Answer(
          rewound.id() == null ? null : MessagePosition.hex(rewound.id()),
          ns == null
              ? null
              : Instant.ofEpochSecond(Math.floorDiv(ns, NS_PER_S), Math.floorMod(ns, NS_PER_S))
                  .toString(),
          rewound.ready(),
          rewound.skipped());
    }
  }
}

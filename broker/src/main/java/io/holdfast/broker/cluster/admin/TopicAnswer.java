package io.holdfast.broker.cluster.admin;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.netty.buffer.ByteBuf;

/**
 * The answer to a {@link TopicRequest}.
 *
 * @param status as in HTTP
 * @param contentType null for none
 * @param body not to be changed
 * @param isUndone whether certainly nothing was done, and somebody else may lead by now
 */
@SuppressWarnings("ArrayRecordComponent") // answers are sent, never compared
public record TopicAnswer(int status, String contentType, byte[] body, boolean isUndone) {
  /** Of an answer that is none yet. */
  static final int UNAVAILABLE = 503;

  static final int NOT_FOUND = 404;
  static final int OK = 200;
  private static final String JSON = "application/json; charset=utf-8";
  private static final byte[] NOTHING = {};

  private record Head(
      @JsonProperty("status") int status,
      @JsonProperty("type") String contentType,
      @JsonProperty("undone") boolean isUndone) {}

  private record Message(@JsonProperty("message") String message) {}

  /** 503 and why. */
  static TopicAnswer unavailable(String message) {
    return new TopicAnswer(UNAVAILABLE, JSON, Framed.json(new Message(message)), false);
  }

  /** It is not led where it was asked. */
  static TopicAnswer notLed(String topic) {
    return new TopicAnswer(UNAVAILABLE, JSON, Framed.json(new Message(noLeader(topic))), true);
  }

  /** It is done. */
  static TopicAnswer done() {
    return new TopicAnswer(OK, null, NOTHING, false);
  }

  static String noLeader(String topic) {
    return "no leader for topic " + topic;
  }

  ByteBuf write() {
    return Framed.write(new Head(status, contentType, isUndone), body);
  }

  /**
   * Reads what {@link #write} has written.
   *
   * @throws IllegalArgumentException in one line, for what is none
   */
  static TopicAnswer read(ByteBuf from) {
    Head head = Framed.readHead(from, Head.class);
    return new TopicAnswer(head.status, head.contentType, Framed.readRest(from), head.isUndone);
  }
}

package io.holdfast.broker.cluster.admin;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.netty.buffer.ByteBuf;

/**
 * Something asked of a shared topic at one node, for whoever leads it.
 *
 * @param topic a valid name
 * @param channel null where it is about the topic itself
 * @param action method and path, such as {@code POST /topic/pause}
 * @param query as the client sent it, empty for none
 * @param body null for none; not to be changed
 * @param isBodyTooBig whether the client sent a longer body than is taken, and it was dropped
 * @param asker who asks
 */
@SuppressWarnings("ArrayRecordComponent") // requests are sent, never compared
public record TopicRequest(
    String topic,
    String channel,
    String action,
    String query,
    byte[] body,
    boolean isBodyTooBig,
    Asker asker) {
  private static final String READING = "GET ";

  /**
   * Who asks, for the audit trail: the node that sends the request has checked it.
   *
   * @param remote {@code host:port}
   */
  public record Asker(
      @JsonProperty("user") String user,
      @JsonProperty("role") String role,
      @JsonProperty("remote") String remote) {}

  private record Head(
      @JsonProperty("topic") String topic,
      @JsonProperty("channel") String channel,
      @JsonProperty("action") String action,
      @JsonProperty("query") String query,
      @JsonProperty("body") boolean hasBody,
      @JsonProperty("body_too_big") boolean isBodyTooBig,
      @JsonProperty("asker") Asker asker) {}

  /** Whether it changes nothing, so that it may be asked again. */
  boolean isReading() {
    return action.startsWith(READING);
  }

  ByteBuf write() {
    return Framed.write(
        new Head(topic, channel, action, query, body != null, isBodyTooBig, asker), body);
  }

  /**
   * Reads what {@link #write} has written.
   *
   * @throws IllegalArgumentException in one line, for what is none
   */
  static TopicRequest read(ByteBuf from) {
    Head head = Framed.readHead(from, Head.class);
    if (head.topic == null || head.action == null || head.query == null || head.asker == null) {
      throw new IllegalArgumentException("a request without topic, action, query or asker");
    }
    byte[] body = Framed.readRest(from);
    return new TopicRequest(
        head.topic,
        head.channel,
        head.action,
        head.query,
        head.hasBody ? body : null,
        head.isBodyTooBig,
        head.asker);
  }
}

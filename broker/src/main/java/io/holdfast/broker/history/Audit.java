package io.holdfast.broker.history;

import io.holdfast.broker.queue.Names;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The trail of every change: a line of the logger {@code audit} and an event each. Thread-safe.
 * Never told of a password, token or hash.
 */
public final class Audit {
  private static final Logger LOG = LoggerFactory.getLogger("audit");

  /** Of each value, in characters: who is not known yet may send what he likes. */
  private static final int MAX_LENGTH = 1024;

  private final Events events;

  /**
   * @param events gets them, too
   */
  public Audit(Events events) {
    this.events = events;
  }

  /**
   * Something somebody did, or was not let do.
   *
   * @param user {@code anonymous} for who did not say
   * @param remote {@code host:port}; empty for the broker's own doing, such as a reload
   * @param action such as {@code topic.create}
   * @param key of an option, null for none
   * @param value of an option, or what is to change in a policy; null for none
   * @param via the node of a cluster where it was asked, null for this one
   * @param role what the user may there, null for here
   */
  public record Change(
      String user,
      String remote,
      String action,
      String topic,
      String channel,
      String key,
      String value,
      String via,
      String role) {
    /** Something asked here. */
    public Change(
        String user,
        String remote,
        String action,
        String topic,
        String channel,
        String key,
        String value) {
      this(user, remote, action, topic, channel, key, value, null, null);
    }

    /** The same, asked at another node. */
    public Change at(String node, String roleThere) {
      return new Change(user, remote, action, topic, channel, key, value, node, roleThere);
    }

    /** One without topic, channel and option. */
    public static Change of(String user, String remote, String action) {
      return new Change(user, remote, action, null, null, null, null);
    }
  }

  /** It was done. */
  public void ok(Change change) {
    write(change, "ok", null);
  }

  /** It was not allowed. */
  public void refused(Change change) {
    write(change, "refused", null);
  }

  /**
   * It was allowed and could not be done.
   *
   * @param reason the code the client was answered
   */
  public void failed(Change change, String reason) {
    write(change, "failed", reason);
  }

  private void write(Change change, String result, String reason) {
    StringBuilder line = new StringBuilder();
    append(line, "user", change.user());
    append(line, "role", change.role());
    append(line, "remote", change.remote());
    append(line, "node", change.via());
    append(line, "action", change.action());
    append(line, "topic", change.topic());
    append(line, "channel", change.channel());
    append(line, "key", change.key());
    append(line, "value", change.value());
    append(line, "result", result);
    append(line, "reason", reason);
    String text = line.toString();
    LOG.info("{}", text);
    events.did(
        change.user(),
        change.remote(),
        change.action(),
        orEmpty(change.topic()),
        orEmpty(change.channel()),
        result,
        text);
  }

  private static String orEmpty(String text) {
    return text == null ? "" : text;
  }

  private static void append(StringBuilder line, String name, String value) {
    if (value != null) {
      line.append(line.isEmpty() ? "" : " ")
          .append(name)
          .append('=')
          .append(Names.shown(value, MAX_LENGTH));
    }
  }
}

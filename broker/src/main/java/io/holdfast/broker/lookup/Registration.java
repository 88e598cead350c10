package io.holdfast.broker.lookup;

import java.util.Objects;

/**
 * What nsqlookupd is told that this broker serves (contract §6).
 *
 * @param topic topic name
 * @param channel channel name, or null for the topic itself
 */
public record Registration(String topic, String channel) {
  public Registration {
    Objects.requireNonNull(topic, "topic");
  }

  /** The line of {@code verb} for this registration, with its newline. */
  String line(String verb) {
    return channel == null ? verb + " " + topic + "\n" : verb + " " + topic + " " + channel + "\n";
  }
}

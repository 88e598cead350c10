package io.holdfast.tools.client;

import io.holdfast.tools.cli.ToolException;
import java.util.regex.Pattern;

/**
 * Validity of topic and channel names (PROTOCOL.md §1.1), so that a typo fails before anything
 * runs.
 */
public final class Names {
  private static final Pattern VALID = Pattern.compile("[.a-zA-Z0-9_-]+(#ephemeral)?");
  private static final int MAX_LENGTH = 64;

  private Names() {}

  /**
   * @param topic a topic name
   * @return the same
   * @throws ToolException when no broker would take it
   */
  public static String checkTopic(String topic) {
    return check("topic", topic);
  }

  /**
   * @param channel a channel name
   * @return the same
   * @throws ToolException when no broker would take it
   */
  public static String checkChannel(String channel) {
    return check("channel", channel);
  }

  /**
   * @param name a topic's or channel's name
   * @return whether brokers take it
   */
  public static boolean isValid(String name) {
    return name.length() <= MAX_LENGTH && VALID.matcher(name).matches();
  }

  private static String check(String kind, String name) {
    if (!isValid(name)) {
      throw ToolException.usage(
          kind
              + " name '"
              + name
              + "' is not valid: 1 to 64 of a-z A-Z 0-9 . _ - (and #ephemeral at the end)");
    }
    return name;
  }
}

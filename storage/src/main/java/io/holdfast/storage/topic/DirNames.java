package io.holdfast.storage.topic;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Topic and channel names as directory names: what could collide on a file system that ignores
 * case, or mean something to it ({@code .}, {@code ..}, hidden files), is written as {@code %hh}.
 */
public final class DirNames {
  /** Begins the name of a directory whose deletion has been decided. */
  public static final String DELETED_PREFIX = ".deleted-";

  /** Begins the name of a directory that does not outlive the process. */
  public static final String EPHEMERAL_PREFIX = ".ephemeral-";

  /** Between name and number of a topic that brokers share; {@link #escape} makes none. */
  public static final char REPLICATED_MARK = '~';

  private static final String EPHEMERAL_SUFFIX = "#ephemeral";

  private DirNames() {}

  /** Whether a topic or channel of this name is gone with the process. */
  public static boolean isEphemeral(String name) {
    return name.endsWith(EPHEMERAL_SUFFIX);
  }

  /** Whether a directory of this name is to be removed at start. */
  public static boolean isPassing(String dirName) {
    return dirName.startsWith(DELETED_PREFIX) || dirName.startsWith(EPHEMERAL_PREFIX);
  }

  /** Whether a directory of this name belongs to a topic that brokers share. */
  public static boolean isReplicated(String dirName) {
    return dirName.indexOf(REPLICATED_MARK) > 0;
  }

  /** The directory name for a topic or channel name. */
  public static String escape(String name) {
    StringBuilder out = new StringBuilder(name.length() + 8);
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean plain =
          (c >= 'a' && c <= 'z')
              || (c >= '0' && c <= '9')
              || c == '_'
              || c == '-'
              || (c == '.' && i > 0);
      if (plain) {
        out.append(c);
      } else {
        for (byte b : String.valueOf(c).getBytes(StandardCharsets.UTF_8)) {
          out.append('%').append(String.format(Locale.ROOT, "%02x", b & 0xff));
        }
      }
    }
    return out.toString();
  }

  /** The name a directory stands for, or null when it is not one that {@link #escape} makes. */
  public static String unescape(String dirName) {
    StringBuilder out = new StringBuilder(dirName.length());
    for (int i = 0; i < dirName.length(); i++) {
      char c = dirName.charAt(i);
      if (c != '%') {
        out.append(c);
        continue;
      }
      if (i + 3 > dirName.length()) {
        return null;
      }
      try {
        out.append((char) Integer.parseInt(dirName.substring(i + 1, i + 3), 16));
      } catch (NumberFormatException notOurs) {
        return null;
      }
      i += 2;
    }
    String name = out.toString();
    return !name.isEmpty() && escape(name).equals(dirName) ? name : null;
  }
}

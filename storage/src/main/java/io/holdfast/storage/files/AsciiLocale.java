package io.holdfast.storage.files;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;

/**
 * Says the cure where the JVM was started in a locale of ASCII only, such as {@code LC_ALL=C}: it
 * can then not name a file whose name has other characters, and sees {@code ?} in their place.
 */
public final class AsciiLocale {
  /** What becomes of a byte that is no character: of arguments, and of the current directory. */
  private static final String LOST = "?\ufffd";

  private AsciiLocale() {}

  /**
   * What to add to the message of a failure that may come of that: the cure, or nothing.
   *
   * @param message of the failure, with the names in it
   */
  public static String cure(String message) {
    // A question's own mark is at its end.
    String names = message.endsWith("?") ? message.substring(0, message.length() - 1) : message;
    // A relative name is one in the current directory.
    String all = names.indexOf('/') < 0 ? names + System.getProperty("user.dir") : names;
    return cure(all, System.getProperty("sun.jnu.encoding"));
  }

  static String cure(String names, String fileNameEncoding) {
    boolean isAscii =
        fileNameEncoding != null
            && Charset.isSupported(fileNameEncoding)
            && Charset.forName(fileNameEncoding).equals(StandardCharsets.US_ASCII);
    boolean isConcerned = names.chars().anyMatch(c -> c > 127 || LOST.indexOf(c) >= 0);
    return isAscii && isConcerned
        ? " (the locale has no file names but ASCII ones: start it with LC_ALL=C.UTF-8)"
        : "";
  }
}

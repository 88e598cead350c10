package io.holdfast.tools.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import java.util.Locale;

/**
 * Text from elsewhere where people look: names, bodies and error texts of others must not steer the
 * terminal, break the line or turn the reading direction round. Such characters are shown as Java
 * and JSON write them.
 */
public final class Visible {
  private Visible() {}

  /**
   * @param text anything
   * @return the same on one line, with control characters as {@code \n} or {@code \u001b}
   */
  public static String text(String text) {
    StringBuilder shown = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (shown == null && steers(c)) {
        shown = new StringBuilder(text.length() + 16).append(text, 0, i);
      }
      if (shown != null) {
        shown.append(steers(c) ? escape(c) : String.valueOf(c));
      }
    }
    return shown == null ? text : shown.toString();
  }

  /**
   * @param c any character
   * @return whether it does something to the terminal or the line instead of being seen
   */
  public static boolean steers(int c) {
    return Character.isISOControl(c)
        || c == '\u2028'
        || c == '\u2029'
        || (c >= '\u202a' && c <= '\u202e')
        || (c >= '\u2066' && c <= '\u2069');
  }

  private static String escape(int c) {
    return switch (c) {
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default -> String.format(Locale.ROOT, "\\u%04x", c);
    };
  }

  /**
   * @return makes generators that escape such characters also where JSON need not: what a program
   *     reads is the same
   */
  public static JsonFactory jsonFactory() {
    return new JsonFactoryBuilder().characterEscapes(new JsonEscapes()).build();
  }

  private static final class JsonEscapes extends CharacterEscapes {
    private static final long serialVersionUID = 1;
    private static final int DELETE = 0x7f;

    @Override
    public int[] getEscapeCodesForAscii() {
      int[] escapes = standardAsciiEscapesForJSON();
      escapes[DELETE] = ESCAPE_STANDARD;
      return escapes;
    }

    @Override
    public SerializableString getEscapeSequence(int c) {
      return c > DELETE && steers(c) ? new SerializedString(escape(c)) : null;
    }
  }
}

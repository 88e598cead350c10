package io.holdfast.broker.queue;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** What is a valid topic or channel name, and how an invalid one is quoted (contract §1.1). */
public final class Names {
  private static final int MAX_LENGTH = 64;
  private static final String EPHEMERAL = "#ephemeral";

  private Names() {}

  /** Whether a name has 1 to 64 bytes of {@code [.a-zA-Z0-9_-]} and maybe {@code #ephemeral}. */
  public static boolean isValid(String name) {
    int length = name.length();
    if (length == 0 || length > MAX_LENGTH) {
      return false;
    }
    int end = name.endsWith(EPHEMERAL) ? length - EPHEMERAL.length() : length;
    for (int i = 0; i < end; i++) {
      char c = name.charAt(i);
      boolean valid =
          (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9')
              || c == '.'
              || c == '_'
              || c == '-';
      if (!valid) {
        return false;
      }
    }
    return end > 0;
  }

  /**
   * A text of a client's, for a line of the log: as it is, or as Go quotes it where that would not
   * be one plain word. What is too long is cut, with {@code ...} for the rest.
   *
   * @param maxLength in characters, before quoting
   */
  public static String shown(String text, int maxLength) {
    if (text.length() > maxLength) {
      int end = Character.isHighSurrogate(text.charAt(maxLength - 1)) ? maxLength - 1 : maxLength;
      return shown(text.substring(0, end), maxLength) + "...";
    }
    if (text.chars().allMatch(c -> c > ' ' && c != '"' && c != '\\' && c < 0x7f)) {
      return text;
    }
    // Names are quoted as bytes, one a character.
    String bytes = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    return new String(quote(bytes).getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
  }

  /**
   * Quotes a name as Go's %q does.
   *
   * @param bytes the name, each byte as an ISO-8859-1 character
   * @return the same kind of string
   */
  public static String quote(String bytes) {
    StringBuilder out = new StringBuilder(bytes.length() + 2).append('"');
    byte[] raw = bytes.getBytes(StandardCharsets.ISO_8859_1);
    int at = 0;
    while (at < raw.length) {
      int length = sequenceLength(raw, at);
      if (length == 0) {
        out.append(String.format(Locale.ROOT, "\\x%02x", raw[at] & 0xff));
        at++;
        continue;
      }
      int codePoint = new String(raw, at, length, StandardCharsets.UTF_8).codePointAt(0);
      quote(codePoint, raw, at, length, out);
      at += length;
    }
    return out.append('"').toString();
  }

  private static void quote(int codePoint, byte[] raw, int at, int length, StringBuilder out) {
    switch (codePoint) {
      case '"' -> out.append("\\\"");
      case '\\' -> out.append("\\\\");
      case 7 -> out.append("\\a");
      case '\b' -> out.append("\\b");
      case '\f' -> out.append("\\f");
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      case 11 -> out.append("\\v");
      default -> {
        if (codePoint < ' ' || codePoint == 0x7f) {
          out.append(String.format(Locale.ROOT, "\\x%02x", codePoint));
        } else if (isPrintable(codePoint)) {
          out.append(new String(raw, at, length, StandardCharsets.ISO_8859_1));
        } else {
          out.append(
              String.format(Locale.ROOT, codePoint > 0xffff ? "\\U%08x" : "\\u%04x", codePoint));
        }
      }
    }
  }

  /** As Go's strconv.IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
  private static boolean isPrintable(int codePoint) {
    if (codePoint == ' ') {
      return true;
    }
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.SPACE_SEPARATOR,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }

  /** Bytes of the valid UTF-8 sequence at an offset, 0 when there is none. */
  private static int sequenceLength(byte[] raw, int at) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    final int maxLength = 4;
    for (int length = 1; length <= Math.min(maxLength, raw.length - at); length++) {
      CharBuffer chars = CharBuffer.allocate(2);
      boolean valid =
          !decoder.reset().decode(ByteBuffer.wrap(raw, at, length), chars, true).isError();
      if (valid) {
        return length;
      }
    }
    return 0;
  }
}

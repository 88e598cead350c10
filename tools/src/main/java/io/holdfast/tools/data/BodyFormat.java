package io.holdfast.tools.data;

import com.fasterxml.jackson.core.JsonGenerator;
import io.holdfast.tools.cli.Given;
import io.holdfast.tools.cli.Visible;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;

/** How bodies are shown. */
enum BodyFormat {
  TEXT,
  HEX,
  BASE64,
  NONE;

  @Override
  public String toString() {
    return Given.lower(this);
  }

  private static final char REPLACEMENT = '\ufffd';

  /**
   * For the table: one line, control characters as dots.
   *
   * @param max bytes of the body at most
   */
  String inTable(ByteBuffer body, int max) {
    if (this == NONE) {
      return "";
    }
    byte[] bytes = new byte[Math.min(max, body.remaining())];
    boolean cut = bytes.length < body.remaining();
    body.get(bytes);
    String text =
        switch (this) {
          case HEX -> HexFormat.of().formatHex(bytes);
          case BASE64 -> Base64.getEncoder().encodeToString(bytes);
          default -> printable(new String(bytes, StandardCharsets.UTF_8));
        };
    return cut ? text + "..." : text;
  }

  private static String printable(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      out.append(Visible.steers(c) || c == REPLACEMENT ? '.' : c);
    }
    return out.toString();
  }

  /** For JSON: as {@code body} where the bytes are UTF-8, else as {@code body_base64}. */
  void inJson(ByteBuffer body, JsonGenerator to) throws IOException {
    if (this == NONE) {
      return;
    }
    byte[] bytes = new byte[body.remaining()];
    body.get(bytes);
    switch (this) {
      case HEX -> to.writeStringField("body_hex", HexFormat.of().formatHex(bytes));
      case BASE64 -> to.writeBinaryField("body_base64", bytes);
      default -> {
        try {
          String text =
              StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
          to.writeStringField("body", text);
        } catch (CharacterCodingException notText) { // Every byte must come back from pub.
          to.writeBinaryField("body_base64", bytes);
        }
      }
    }
  }
}

package io.holdfast.broker.wire;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.holdfast.broker.net.WellFormed;

/** JSON strings for the few replies whose key order is part of the protocol. */
final class JsonStrings {
  private JsonStrings() {}

  /** As Go's encoder writes it: safe to stand in HTML. */
  static String quote(String text) {
    String json = new String(JsonStringEncoder.getInstance().quoteAsString(WellFormed.of(text)));
    return '"'
        + json.replace("<", "\\u003c")
            .replace(">", "\\u003e")
            .replace("&", "\\u0026")
            .replace("\u2028", "\\u2028")
            .replace("\u2029", "\\u2029")
        + '"';
  }
}

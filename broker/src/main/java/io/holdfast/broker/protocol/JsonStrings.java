package io.holdfast.broker.protocol;

import com.fasterxml.jackson.core.io.JsonStringEncoder;

/** JSON strings for the few replies whose key order is part of the protocol. */
final class JsonStrings {
  private JsonStrings() {}

  static String quote(String text) {
    return '"' + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + '"';
  }
}

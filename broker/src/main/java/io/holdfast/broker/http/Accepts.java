package io.holdfast.broker.http;

import io.netty.handler.codec.http.HttpHeaderNames;
import java.util.Locale;

/** Reads what a client says it accepts. Stateless. */
final class Accepts {
  private Accepts() {}

  /** Whether {@code text/html} is named, as browsers do; wildcards do not count. */
  static boolean html(ApiRequest request) {
    for (String header : request.headers().getAll(HttpHeaderNames.ACCEPT)) {
      for (String range : header.toLowerCase(Locale.ROOT).split(",", -1)) {
        String[] parts = range.split(";", -1);
        if (parts[0].trim().equals("text/html") && quality(parts) > 0) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * The quality of one range.
   *
   * @param parts in lower case; the parameters stand behind the first one
   * @return 1 without one, 0 for one that is no number: not asked for
   */
  static double quality(String[] parts) {
    for (int i = 1; i < parts.length; i++) {
      String parameter = parts[i].trim();
      if (parameter.startsWith("q=")) {
        try {
          return Double.parseDouble(parameter.substring(2).trim());
        } catch (NumberFormatException e) {
          return 0;
        }
      }
    }
    return 1;
  }
}

package io.holdfast.broker.http;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The parameters of a query string, read as nsqd reads them: {@code +} is a blank, the first value
 * of a name wins, a {@code ;} or a bad %-escape spoils the whole query (contract §5). Immutable.
 */
final class QueryParams {
  private final Map<String, String> values;
  private final Set<String> known;

  private QueryParams(Map<String, String> values, Set<String> known) {
    this.values = values;
    this.known = known;
  }

  /**
   * Parses the part of a request target behind the first {@code ?}.
   *
   * @param rawQuery without the {@code ?}, may be empty
   * @throws HttpError 400 {@code INVALID_REQUEST} if it cannot be parsed
   */
  static QueryParams parse(String rawQuery) throws HttpError {
    return parse(rawQuery, null);
  }

  /**
   * The same for who asks for these parameters only: to ask for another one is a fault of the
   * program, as openapi.yaml would not have it.
   *
   * @param known null for any
   */
  static QueryParams parse(String rawQuery, Set<String> known) throws HttpError {
    Map<String, String> values = new HashMap<>();
    int start = 0;
    while (start <= rawQuery.length()) {
      int end = rawQuery.indexOf('&', start);
      if (end < 0) {
        end = rawQuery.length();
      }
      if (end > start) {
        String pair = rawQuery.substring(start, end);
        int equals = pair.indexOf('=');
        String name = equals < 0 ? pair : pair.substring(0, equals);
        String value = equals < 0 ? "" : pair.substring(equals + 1);
        if (pair.indexOf(';') >= 0) {
          throw HttpError.badRequest("INVALID_REQUEST");
        }
        values.putIfAbsent(decode(name), decode(value));
      }
      start = end + 1;
    }
    return new QueryParams(values, known);
  }

  private static String decode(String text) throws HttpError {
    String decoded = percentDecode(text, true);
    if (decoded == null) {
      throw HttpError.badRequest("INVALID_REQUEST");
    }
    return decoded;
  }

  /** Returns the first value of {@code name}; null if the query does not have it. */
  String get(String name) {
    if (known != null && !known.contains(name)) {
      throw new IllegalStateException("the route does not list its parameter " + name);
    }
    return values.get(name);
  }

  /** Returns the first value of {@code name}; empty if the query does not have it. */
  String getOrEmpty(String name) {
    String value = get(name);
    return value == null ? "" : value;
  }

  /**
   * Returns a number in decimal digits.
   *
   * @param otherwise when the query does not have it
   * @param code of the error
   * @throws HttpError 400 {@code code} for what is no number or out of range
   */
  int number(String name, int otherwise, int min, int max, String code) throws HttpError {
    String text = get(name);
    if (text == null) {
      return otherwise;
    }
    try {
      int number = Integer.parseInt(text);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw HttpError.badRequest(code);
    }
    throw HttpError.badRequest(code);
  }

  /**
   * Decodes %-escapes as UTF-8; bytes that are none become U+FFFD, which no valid name contains.
   *
   * @param plusIsBlank true in queries, false in paths
   * @return the text, null if an escape is incomplete or no hex number
   */
  static String percentDecode(String text, boolean plusIsBlank) {
    if (text.indexOf('%') < 0 && (!plusIsBlank || text.indexOf('+') < 0)) {
      return text;
    }
    byte[] raw = text.getBytes(StandardCharsets.UTF_8);
    int out = 0;
    for (int i = 0; i < raw.length; i++) {
      byte b = raw[i];
      if (b == '%') {
        int high = i + 2 < raw.length ? hexDigit(raw[i + 1]) : -1;
        int low = i + 2 < raw.length ? hexDigit(raw[i + 2]) : -1;
        if (high < 0 || low < 0) {
          return null;
        }
        b = (byte) (high << 4 | low);
        i += 2;
      } else if (b == '+' && plusIsBlank) {
        b = ' ';
      }
      raw[out++] = b;
    }
    return new String(raw, 0, out, StandardCharsets.UTF_8);
  }

  private static int hexDigit(byte b) {
    return b < 0 ? -1 : Character.digit((char) b, 16);
  }
}

package io.holdfast.broker.http;

import io.holdfast.broker.config.GoDuration;
import io.holdfast.broker.queue.Position;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.HexFormat;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/**
 * Reads a place in a topic as people write it: {@code start}, {@code end}, a message id, an RFC
 * 3339 time with zone, or {@code -} and a Go duration. Stateless.
 */
final class MessagePosition {
  private static final Pattern ID = Pattern.compile("[0-9a-f]{16}");
  private static final long NS_PER_S = 1_000_000_000L;

  private MessagePosition() {}

  /** Whether a text has the form of a message's id. */
  static boolean isId(String text) {
    return ID.matcher(text).matches();
  }

  /** Writes an id. */
  static String hex(long id) {
    return HexFormat.of().toHexDigits(id);
  }

  /**
   * Parses a position.
   *
   * @param text null for none
   * @param otherwise for none
   * @param code of the error
   * @throws HttpError 400 with {@code code}
   */
  static Position parse(String text, Position otherwise, String code) throws HttpError {
    if (text == null) {
      return otherwise;
    }
    if (text.equals("start")) {
      return Position.START;
    }
    if (text.equals("end")) {
      return Position.END;
    }
    if (isId(text)) {
      return Position.id(Long.parseUnsignedLong(text, 16));
    }
    Instant time = text.startsWith("-") ? back(text) : time(text);
    if (time == null) {
      throw HttpError.badRequest(code);
    }
    return Position.time(nanos(time));
  }

  private static Instant back(String text) {
    OptionalLong ns = GoDuration.parse(text);
    return ns.isEmpty() ? null : Instant.now().plusNanos(ns.getAsLong());
  }

  private static Instant time(String text) {
    try {
      return OffsetDateTime.parse(text).toInstant();
    } catch (DateTimeParseException e) {
      return null; // the caller says so
    }
  }

  /** Times beyond what 64 bits of ns hold are as far as these go. */
  private static long nanos(Instant time) {
    long seconds =
        Math.max(
            Long.MIN_VALUE / NS_PER_S + 1,
            Math.min(Long.MAX_VALUE / NS_PER_S - 1, time.getEpochSecond()));
    return seconds * NS_PER_S + time.getNano();
  }
}

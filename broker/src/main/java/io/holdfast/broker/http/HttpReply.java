package io.holdfast.broker.http;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;

/**
 * An answer: status, body and the few headers of contract §5. Immutable; the body must not be
 * changed.
 *
 * @param status HTTP status
 * @param contentType null for none, as empty answers have it
 * @param nsqHeader whether {@code X-Nsq-Content-Type} goes along (all but /ping and /debug/*)
 * @param headers further ones ({@code Allow}, {@code Location}...) by name
 */
@SuppressWarnings("ArrayRecordComponent") // replies are written, never compared
record HttpReply(
    int status, String contentType, byte[] body, boolean nsqHeader, Map<String, String> headers) {
  static final String JSON = "application/json; charset=utf-8";
  static final String TEXT = "text/plain; charset=utf-8";
  private static final String RETRY_AFTER = "Retry-After";
  private static final byte[] NOTHING = new byte[0];

  /** The same with one more header. */
  HttpReply with(String name, String value) {
    Map<String, String> more = new TreeMap<>(headers);
    more.put(name, value);
    return new HttpReply(status, contentType, body, nsqHeader, more);
  }

  /** What an error's JSON says as {@code message}; else the status. */
  String code() {
    JsonNode message = JsonText.readOrNull(body);
    message = message == null ? null : message.get("message");
    return message != null && message.isTextual() ? message.asText() : Integer.toString(status);
  }

  /** 401, and how to do better. */
  static HttpReply unauthorized() {
    return error(401, "UNAUTHORIZED")
        .with("WWW-Authenticate", "Basic realm=\"holdfast\", charset=\"UTF-8\"");
  }

  /** 200 with text, or with nothing at all if it is empty. */
  static HttpReply text(String text) {
    return plain(200, text, true);
  }

  /** 200 without body. */
  static HttpReply empty() {
    return plain(200, "", true);
  }

  /** A status without body. */
  static HttpReply status(int status) {
    return plain(status, "", true);
  }

  /** Text without the nsq header, as /ping and /debug/* answer. */
  static HttpReply plainText(int status, String text) {
    return plain(status, text, false);
  }

  /** Bytes of another kind without the nsq header, for /debug/*. */
  static HttpReply bytes(String contentType, byte[] body) {
    return new HttpReply(200, contentType, body, false, Map.of());
  }

  /** 200 with {@code value} as compact JSON. */
  static HttpReply json(Object value) {
    return json(200, value);
  }

  /** {@code value} as compact JSON. */
  static HttpReply json(int status, Object value) {
    return new HttpReply(status, JSON, JsonText.write(value), true, Map.of());
  }

  /** {@code {"message":"CODE"}}. */
  static HttpReply error(int status, String code) {
    return new HttpReply(status, JSON, message(code), true, Map.of());
  }

  /** See {@link #error(int, String)}. */
  static HttpReply error(HttpError error) {
    HttpReply reply = error(error.status(), error.getMessage());
    return error.isUndone() ? reply.with(RETRY_AFTER, "1") : reply;
  }

  /** Whether certainly nothing was done, and it may be asked for again. */
  boolean isUndone() {
    return headers.containsKey(RETRY_AFTER);
  }

  static HttpReply methodNotAllowed(String allow) {
    return new HttpReply(405, JSON, message("METHOD_NOT_ALLOWED"), true, Map.of("Allow", allow));
  }

  static HttpReply options(String allow) {
    return new HttpReply(200, null, NOTHING, false, Map.of("Allow", allow));
  }

  /**
   * @param location path and query, already escaped
   * @param withBody whether a hint for people goes along, as GET has it
   */
  static HttpReply redirect(int status, String location, boolean withBody) {
    if (!withBody) {
      return new HttpReply(status, null, NOTHING, false, Map.of("Location", location));
    }
    String href = location.replace("&", "&amp;").replace("\"", "&#34;").replace("<", "&lt;");
    byte[] body =
        ("<a href=\"" + href + "\">Moved Permanently</a>.\n\n").getBytes(StandardCharsets.UTF_8);
    return new HttpReply(
        status, "text/html; charset=utf-8", body, false, Map.of("Location", location));
  }

  /** What tls-required answers on plain HTTP; official tools go on to the port (contract §5). */
  static HttpReply tlsRequired(int httpsPort) {
    String body = "{\"message\": \"TLS_REQUIRED\", \"https_port\": " + httpsPort + "}";
    return new HttpReply(403, JSON, body.getBytes(StandardCharsets.UTF_8), true, Map.of());
  }

  private static byte[] message(String code) {
    return JsonText.write(new Message(code));
  }

  private static HttpReply plain(int status, String text, boolean nsqHeader) {
    return new HttpReply(
        status,
        text.isEmpty() ? null : TEXT,
        text.getBytes(StandardCharsets.UTF_8),
        nsqHeader,
        Map.of());
  }

  private record Message(String message) {}
}

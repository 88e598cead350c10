package io.holdfast.broker.wire;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.net.WellFormed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The IDENTIFY command's body (contract §2).
 *
 * @param settings what is in force now
 * @param isFeatureNegotiation whether the client wants the JSON reply, and the rest
 * @param tls whether it asks for TLS
 * @param deflate whether it asks for deflate
 * @param snappy whether it asks for snappy
 * @param deflateLevel as asked, 0 for none
 * @param keepsBacklog whether it asks if an ephemeral first channel leaves the topic its backlog;
 *     not nsqd's, so only who asks is told
 */
record Identify(
    ClientSettings settings,
    boolean isFeatureNegotiation,
    boolean tls,
    boolean deflate,
    boolean snappy,
    long deflateLevel,
    boolean keepsBacklog) {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private static final String E_BAD_BODY = "E_BAD_BODY";
  private static final long DEFAULT_HEARTBEAT_MS = 30_000;
  private static final long MIN_MS = 1000;
  private static final long DEFAULT_OUTPUT_BUFFER_BYTES = 16 * 1024;
  private static final long MIN_OUTPUT_BUFFER_BYTES = 64;
  private static final long MAX_SAMPLE_RATE = 99;

  /**
   * What is kept of a name, in characters: nsqd keeps all, and a longer one is no client's fault.
   */
  private static final int MAX_NAME_CHARS = 256;

  /** What is in force before IDENTIFY. */
  static ClientSettings defaults(Options options) {
    return new ClientSettings(
        "",
        "",
        "",
        "",
        "",
        DEFAULT_HEARTBEAT_MS,
        DEFAULT_OUTPUT_BUFFER_BYTES,
        options.outputBufferTimeoutMs(),
        0,
        options.msgTimeoutMs(),
        false);
  }

  /** The same with another name. */
  static ClientSettings named(ClientSettings of, String clientId, String hostname) {
    return new ClientSettings(
        clientId,
        hostname,
        of.userAgent(),
        of.topologyRegion(),
        of.topologyZone(),
        of.heartbeatIntervalMs(),
        of.outputBufferSize(),
        of.outputBufferTimeoutMs(),
        of.sampleRate(),
        of.msgTimeoutMs(),
        of.askedMsgTimeout());
  }

  /**
   * Reads a body.
   *
   * @throws ClientException E_BAD_BODY, fatal: no JSON object, a wrong type, or out of range
   */
  static Identify parse(byte[] body, Options options) throws ClientException {
    Map<String, JsonNode> fields = fields(body);
    long sampleRate = number(fields, "sample_rate");
    // All types are right before the first range is looked at.
    ClientSettings said =
        new ClientSettings(
            text(fields, "client_id"),
            text(fields, "hostname"),
            text(fields, "user_agent"),
            text(fields, "topology_region"),
            text(fields, "topology_zone"),
            number(fields, "heartbeat_interval"),
            number(fields, "output_buffer_size"),
            number(fields, "output_buffer_timeout"),
            0,
            number(fields, "msg_timeout"));
    long deflateLevel = number(fields, "deflate_level");
    boolean negotiation = flag(fields, "feature_negotiation");
    boolean tls = flag(fields, "tls_v1");
    boolean deflate = flag(fields, "deflate");
    boolean snappy = flag(fields, "snappy");
    boolean keepsBacklog = flag(fields, "keeps_backlog");
    return new Identify(
        inForce(said, sampleRate, options),
        negotiation,
        tls,
        deflate,
        snappy,
        deflateLevel,
        keepsBacklog);
  }

  /** What was said with its defaults, each within its range; the first that is not is told. */
  private static ClientSettings inForce(ClientSettings said, long sampleRate, Options options)
      throws ClientException {
    long heartbeat =
        choose(
            "heartbeat interval",
            said.heartbeatIntervalMs(),
            DEFAULT_HEARTBEAT_MS,
            MIN_MS,
            options.maxHeartbeatIntervalMs());
    long bufferTimeout =
        choose(
            "output buffer timeout",
            said.outputBufferTimeoutMs(),
            options.outputBufferTimeoutMs(),
            options.minOutputBufferTimeoutMs(),
            options.maxOutputBufferTimeoutMs());
    long buffer =
        choose(
            "output buffer size",
            said.outputBufferSize(),
            DEFAULT_OUTPUT_BUFFER_BYTES,
            MIN_OUTPUT_BUFFER_BYTES,
            options.maxOutputBufferSize());
    if (buffer < 0) {
      // Unbuffered.
      buffer = 1;
      bufferTimeout = 0;
    }
    if (sampleRate < 0 || sampleRate > MAX_SAMPLE_RATE) {
      throw invalid("sample rate", sampleRate);
    }
    long timeout = options.msgTimeoutMs();
    long asked = said.msgTimeoutMs();
    if (asked != 0) {
      if (asked < MIN_MS || asked > options.maxMsgTimeoutMs()) {
        throw invalid("msg timeout", asked);
      }
      timeout = asked;
    }
    return new ClientSettings(
        said.clientId(),
        said.hostname(),
        said.userAgent(),
        said.topologyRegion(),
        said.topologyZone(),
        heartbeat,
        buffer,
        Math.max(0, bufferTimeout),
        (int) sampleRate,
        timeout,
        asked != 0);
  }

  /** 0 for the default, -1 for off, else within bounds. */
  private static long choose(String what, long asked, long byDefault, long min, long max)
      throws ClientException {
    if (asked == 0) {
      return byDefault;
    }
    if (asked != -1 && (asked < min || asked > max)) {
      throw invalid(what, asked);
    }
    return asked;
  }

  private static ClientException invalid(String what, long value) {
    return ClientException.fatal(E_BAD_BODY, "IDENTIFY " + what + " (" + value + ") is invalid");
  }

  private static ClientException undecodable() {
    return ClientException.fatal(E_BAD_BODY, "IDENTIFY failed to decode JSON body");
  }

  /** Keys in lower case, as Go matches them without regard to case; nulls left out. */
  private static Map<String, JsonNode> fields(byte[] body) throws ClientException {
    JsonNode node;
    try {
      // Through a string: bytes that are no UTF-8 are replaced, as Go does, and not refused.
      node = JSON.readTree(new String(body, StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw undecodable();
    }
    Map<String, JsonNode> fields = new TreeMap<>();
    if (node.isMissingNode()) {
      throw undecodable();
    }
    if (node.isNull()) {
      return fields;
    }
    if (!node.isObject()) {
      throw undecodable();
    }
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!field.getValue().isNull()) {
        fields.put(field.getKey().toLowerCase(Locale.ROOT), field.getValue());
      }
    }
    return fields;
  }

  private static String text(Map<String, JsonNode> fields, String key) throws ClientException {
    JsonNode value = fields.get(key);
    if (value == null) {
      return "";
    }
    if (!value.isTextual()) {
      throw undecodable();
    }
    return WellFormed.of(cut(value.textValue()));
  }

  private static String cut(String text) {
    if (text.length() <= MAX_NAME_CHARS) {
      return text;
    }
    boolean splitsPair = Character.isHighSurrogate(text.charAt(MAX_NAME_CHARS - 1));
    return text.substring(0, splitsPair ? MAX_NAME_CHARS - 1 : MAX_NAME_CHARS);
  }

  private static long number(Map<String, JsonNode> fields, String key) throws ClientException {
    JsonNode value = fields.get(key);
    if (value == null) {
      return 0;
    }
    if (!value.isIntegralNumber() || !value.canConvertToLong()) {
      throw undecodable();
    }
    return value.longValue();
  }

  private static boolean flag(Map<String, JsonNode> fields, String key) throws ClientException {
    JsonNode value = fields.get(key);
    if (value == null) {
      return false;
    }
    if (!value.isBoolean()) {
      throw undecodable();
    }
    return value.booleanValue();
  }
}

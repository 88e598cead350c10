package io.holdfast.broker.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.config.LogLevel;
import io.holdfast.broker.http.Router.BodyLimit;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;

/** /config/{key}: reads any option and changes two of them at run time (contract §5). Stateless. */
final class ConfigHandler {
  private final Function<String, Object> configValue;
  private final Consumer<String> setLogLevel;
  private final Consumer<List<String>> setLookupdTcpAddresses;
  private final LongSupplier maxMsgSize;

  /**
   * @param configValue gives an option's value by TOML key, null if there is none
   * @param maxMsgSize longest new value in bytes
   */
  ConfigHandler(
      Function<String, Object> configValue,
      Consumer<String> setLogLevel,
      Consumer<List<String>> setLookupdTcpAddresses,
      LongSupplier maxMsgSize) {
    this.configValue = configValue;
    this.setLogLevel = setLogLevel;
    this.setLookupdTcpAddresses = setLookupdTcpAddresses;
    this.maxMsgSize = maxMsgSize;
  }

  /** Returns what PUT takes as body. */
  BodyLimit bodyLimit() {
    return BodyLimits.collect(maxMsgSize, HttpReply.error(413, "INVALID_VALUE"));
  }

  /** GET /config/{key}. */
  HttpReply get(ApiRequest request) throws HttpError {
    Object value = configValue.apply(request.pathParam());
    if (value == null) {
      throw HttpError.badRequest("INVALID_OPTION");
    }
    return value instanceof String text ? HttpReply.text(text) : HttpReply.json(value);
  }

  /** PUT /config/{key}; blocks, as peers may be connected. */
  HttpReply put(ApiRequest request) throws HttpError {
    byte[] body = ByteBufUtil.getBytes(request.body());
    if (request.bodyTooBig() || body.length == 0) {
      throw HttpError.tooLarge("INVALID_VALUE");
    }
    switch (request.pathParam()) {
      case "log_level" -> {
        LogLevel level =
            LogLevel.parse(new String(body, StandardCharsets.UTF_8))
                .orElseThrow(() -> HttpError.badRequest("INVALID_VALUE"));
        setLogLevel.accept(level.text());
      }
      case "nsqlookupd_tcp_addresses" -> setLookupdTcpAddresses.accept(addresses(body));
      default -> throw HttpError.badRequest("INVALID_OPTION");
    }
    return get(request);
  }

  /** Reads a JSON array of strings; {@code null} is an empty one. */
  private static List<String> addresses(byte[] json) throws HttpError {
    JsonNode node = JsonText.readOrNull(json);
    if (node == null || !(node.isArray() || node.isNull())) {
      throw HttpError.badRequest("INVALID_VALUE");
    }
    List<String> addresses = new ArrayList<>();
    for (JsonNode address : node) {
      if (!address.isTextual()) {
        throw HttpError.badRequest("INVALID_VALUE");
      }
      addresses.add(address.textValue());
    }
    return addresses;
  }
}

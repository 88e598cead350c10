package io.holdfast.broker.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConfigHandlerTest {
  private final Map<String, Object> values =
      new HashMap<>(
          Map.of(
              "data_path",
              "/var/<x>",
              "broadcast_address",
              "",
              "msg_timeout",
              60_000_000_000L,
              "deflate",
              true,
              "e2e_processing_latency_percentiles",
              List.of(1.0, 0.95, 0.001),
              "nsqlookupd_tcp_addresses",
              List.of(),
              "log_level",
              2));
  private final List<String> levels = new ArrayList<>();
  private final ConfigHandler handler =
      new ConfigHandler(
          values::get,
          level -> {
            levels.add(level);
            values.put("log_level", 1);
          },
          addresses -> values.put("nsqlookupd_tcp_addresses", addresses),
          () -> 100);

  private String call(String method, String key, String body) {
    ApiRequest request =
        new ApiRequest(
            method, "/config/" + key, key, "", Unpooled.copiedBuffer(body, UTF_8), false);
    HttpReply reply;
    try {
      reply = method.equals("GET") ? handler.get(request) : handler.put(request);
    } catch (HttpError e) {
      reply = HttpReply.error(e);
    }
    return reply.status() + " " + reply.contentType() + " " + new String(reply.body(), UTF_8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "data_path | 200 text/plain; charset=utf-8 /var/<x>",
        "broadcast_address | '200 null '",
        "msg_timeout | 200 application/json; charset=utf-8 60000000000",
        "deflate | 200 application/json; charset=utf-8 true",
        "e2e_processing_latency_percentiles | 200 application/json; charset=utf-8 [1,0.95,0.001]",
        "nsqlookupd_tcp_addresses | 200 application/json; charset=utf-8 []",
        "nope | '400 application/json; charset=utf-8 {\"message\":\"INVALID_OPTION\"}'"
      })
  void shouldShowOptions(String key, String expected) {
    assertEquals(expected, call("GET", key, ""));
  }

  @Test
  void shouldSetTheLogLevelInAnyCase() {
    assertEquals("200 application/json; charset=utf-8 1", call("PUT", "log_level", "DeBug"));
    assertEquals(List.of("debug"), levels);
  }

  @Test
  void shouldSetTheLookupds() {
    assertEquals(
        "200 application/json; charset=utf-8 [\"a:1\",\"b:2\"]",
        call("PUT", "nsqlookupd_tcp_addresses", "[\"a:1\", \"b:2\"]"));
    assertEquals(
        "200 application/json; charset=utf-8 []", call("PUT", "nsqlookupd_tcp_addresses", "null"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "log_level | '' | 413 INVALID_VALUE",
        "log_level | loud | 400 INVALID_VALUE",
        "log_level | \"info\" | 400 INVALID_VALUE",
        "nsqlookupd_tcp_addresses | a:1 | 400 INVALID_VALUE",
        "nsqlookupd_tcp_addresses | [1] | 400 INVALID_VALUE",
        "nsqlookupd_tcp_addresses | [] x | 400 INVALID_VALUE",
        "nsqlookupd_tcp_addresses | {} | 400 INVALID_VALUE",
        "data_path | x | 400 INVALID_OPTION",
        "nope | x | 400 INVALID_OPTION",
        "nope | '' | 413 INVALID_VALUE"
      })
  void shouldRefuse(String key, String body, String expected) {
    String[] parts = expected.split(" ");
    assertEquals(
        parts[0] + " application/json; charset=utf-8 {\"message\":\"" + parts[1] + "\"}",
        call("PUT", key, body));
  }
}

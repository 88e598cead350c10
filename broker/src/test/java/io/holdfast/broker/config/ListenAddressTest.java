package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ListenAddressTest {
  @ParameterizedTest
  @CsvSource({
    "0.0.0.0:4150, 0.0.0.0, 4150",
    ":4150, '', 4150",
    "[::1]:4150, ::1, 4150",
    "host:0, host, 0",
    "a-b.c:65535, a-b.c, 65535"
  })
  void shouldReadHostAndPort(String text, String host, int port) {
    Optional<ListenAddress> expected = Optional.of(new ListenAddress(host, port, null));
    assertEquals(expected, ListenAddress.parseHostPort(text));
    assertEquals(expected, ListenAddress.parseHostPortOrPath(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"/run/nsqd.sock", "nsqd.sock", "./a:b", "/tmp/x:4150"})
  void shouldTakeTheRestForAUnixSocket(String path) {
    ListenAddress address = ListenAddress.parseHostPortOrPath(path).orElseThrow();
    assertTrue(address.isUnix());
    assertEquals(path, address.unixPath());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "host:",
        "host:x",
        "host:65536",
        "host:-1",
        "::1:4150",
        "h ost:1",
        "[::1:4150",
        "a\0b"
      })
  void shouldRefuseWhatIsNeither(String text) {
    assertEquals(Optional.empty(), ListenAddress.parseHostPortOrPath(text));
  }
}

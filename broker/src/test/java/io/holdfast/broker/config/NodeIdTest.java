package io.holdfast.broker.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeIdTest {
  /** Computed independently: zlib.crc32(hashlib.md5(name).digest()) % 1024. */
  @ParameterizedTest
  @CsvSource({"vm, 617", "localhost, 16", "nsqd-1.example.com, 995", "'', 812"})
  void shouldHashTheHostNameAsNsqdDoes(String hostName, int expected) {
    assertEquals(expected, NodeId.ofHostName(hostName));
  }

  @Test
  void shouldBeTheDefaultOfThisMachine() {
    assertFalse(HostName.ofThisMachine().isBlank());
    assertEquals(NodeId.ofHostName(HostName.ofThisMachine()), Options.defaults().nodeId());
  }
}

package io.holdfast.broker.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DescriptorsTest {
  @Test
  void shouldAdmitSevenHundredConnectionsWithTheUsualLimit() {
    Descriptors shares = Descriptors.of(1024);
    assertEquals(700, shares.tcpConnections());
    assertEquals(100, shares.httpConnections());
  }

  @ParameterizedTest
  @ValueSource(longs = {120, 1024, 4096, 65536, 1 << 20, Integer.MAX_VALUE})
  void shouldLeaveDescriptorsForFiles(long limit) {
    Descriptors shares = Descriptors.of(limit);
    long left = limit - shares.tcpConnections() - shares.httpConnections();
    assertTrue(left >= limit / 10, left + " left");
  }

  @Test
  void shouldCountTheConnectionsOfAllHttpListeners() {
    Descriptors shares = Descriptors.of(1024);
    assertTrue(shares.admitHttp(2));
    assertTrue(shares.admitHttp(2));
    assertFalse(shares.admitHttp(2));
    shares.httpClosed();
    assertTrue(shares.admitHttp(2));
  }
}

package io.holdfast.tools.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class BrokerAddressTest {
  @Test
  void shouldReadAddresses() {
    assertEquals("h:4150", BrokerAddress.parse("h", 4150).toString());
    assertEquals("h:1", BrokerAddress.parse("h:1", 4150).toString());
    assertEquals("127.0.0.1:7", BrokerAddress.parse(":7", 4150).toString());
    assertEquals("[::1]:4150", BrokerAddress.parse("[::1]", 4150).toString());
    assertEquals("[::1]:2", BrokerAddress.parse("[::1]:2", 4150).toString());
    assertEquals("h:4161", new BrokerAddress.Lookup().convert("http://h:4161").toString());
  }

  @Test
  void shouldRefuseWhatIsNone() {
    for (String bad : new String[] {"h:0", "h:65536", "h:x", "::1", "a/b:1"}) {
      assertThrows(IllegalArgumentException.class, () -> BrokerAddress.parse(bad, 1), bad);
    }
  }
}

package io.holdfast.broker.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which names an entry's patterns are for. */
class PolicyEntryTest {
  @ParameterizedTest
  @CsvSource({
    "*,anything.at_all#ephemeral,true",
    "orders.*,orders.eu.west,true",
    "orders.*,orders,false",
    "orders.*,xorders.eu,false",
    "orders,orders,true",
    "Orders,orders,false",
    "*.eu,orders.eu,true",
    "*.eu,orders.euro,false",
    "a*b*c,aXbXbXc,true",
    "a*b*c,aXcXb,false",
    "**,x,true",
    "*#ephemeral,x#ephemeral,true",
    "*#ephemeral,x,false",
    "a*,a,true"
  })
  void shouldMatchWholeNames(String pattern, String name, boolean matches) {
    assertEquals(matches, PolicyEntry.matches(pattern, name));
  }

  @Test
  void shouldMatchInBoundedTimeWhateverThePattern() {
    assertFalse(PolicyEntry.matches("a*".repeat(60) + "b", "a".repeat(64)));
  }
}

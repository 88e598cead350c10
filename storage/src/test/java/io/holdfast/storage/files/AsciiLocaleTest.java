package io.holdfast.storage.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class AsciiLocaleTest {
  private static final String ASCII = "ANSI_X3.4-1968";

  @Test
  void shouldNameTheCureWhereANameWasLost() {
    for (String lost : new String[] {"/d?ta", "/d\ufffdta", "/d\u00e4ta"}) {
      assertTrue(AsciiLocale.cure(lost, ASCII).contains("LC_ALL=C.UTF-8"), lost);
      assertEquals("", AsciiLocale.cure(lost, "UTF-8"));
    }
    assertEquals("", AsciiLocale.cure("/data", ASCII));
    assertEquals("", AsciiLocale.cure("/d?ta", null));
  }
}

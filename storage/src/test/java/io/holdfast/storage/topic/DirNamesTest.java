package io.holdfast.storage.topic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Locale;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirNamesTest {
  private static final int MAX_FILE_NAME_BYTES = 255;

  /** Valid names, short ones over few characters so that collisions would happen. */
  @Provide
  Arbitrary<String> names() {
    Arbitrary<String> any =
        Arbitraries.strings()
            .withCharRange('a', 'z')
            .withCharRange('A', 'Z')
            .withCharRange('0', '9')
            .withChars("._-")
            .ofMinLength(1)
            .ofMaxLength(54);
    Arbitrary<String> few = Arbitraries.strings().withChars("aA.").ofMinLength(1).ofMaxLength(4);
    return Arbitraries.oneOf(any, few, any.map(name -> name + "#ephemeral"));
  }

  @Property
  void shouldComeBackFromItsDirectoryName(@ForAll("names") String name) {
    String dir = DirNames.escape(name);
    assertEquals(name, DirNames.unescape(dir));
    assertFalse(dir.startsWith("."), dir);
    assertFalse(dir.contains("/"), dir);
    assertFalse(DirNames.isPassing(dir), dir);
  }

  @Property
  void shouldNotCollideWhereCaseIsIgnored(@ForAll("names") String a, @ForAll("names") String b) {
    if (!a.equals(b)) {
      assertNotEquals(
          DirNames.escape(a).toLowerCase(Locale.ROOT), DirNames.escape(b).toLowerCase(Locale.ROOT));
    }
  }

  @Test
  void shouldFitInAFileNameAtFullLength() {
    String longest = "A".repeat(54) + "#ephemeral";
    String dir = DirNames.EPHEMERAL_PREFIX + DirNames.escape(longest);
    assertTrue(dir.length() <= MAX_FILE_NAME_BYTES, dir);
    assertTrue(DirNames.escape("Z".repeat(64)).length() <= MAX_FILE_NAME_BYTES);
  }

  @Test
  void shouldNotMeanAnythingToTheFileSystem() {
    assertEquals("%2e", DirNames.escape("."));
    assertEquals("%2e.", DirNames.escape(".."));
    assertEquals("%2edeleted-1", DirNames.escape(".deleted-1"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "A", ".", "a%", "a%4", "a%zz", "%61", "%+1", "a b", "%C3", "a%23E"})
  void shouldRefuseWhatItNeverMakes(String dir) {
    assertNull(DirNames.unescape(dir));
  }

  @Test
  void shouldKnowEphemeralNames() {
    assertTrue(DirNames.isEphemeral("a#ephemeral"));
    assertFalse(DirNames.isEphemeral("a"));
    assertFalse(DirNames.isEphemeral("a#ephemeral-"));
  }
}

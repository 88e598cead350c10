package io.holdfast.broker.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.queue.Names;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QueryParamsTest {
  @Test
  void shouldTakeFirstValueAndDecode() throws HttpError {
    QueryParams params = QueryParams.parse("topic=a%23ephemeral&topic=b&&x&y=+%2B1=2");
    assertEquals("a#ephemeral", params.get("topic"));
    assertEquals("", params.get("x"));
    assertEquals(" +1=2", params.get("y"));
    assertNull(params.get("z"));
    assertEquals("", params.getOrEmpty("z"));
  }

  @Test
  void shouldKeepHashThatIsNoFragmentOnTheWire() throws HttpError {
    assertEquals("t#ephemeral", QueryParams.parse("topic=t#ephemeral").get("topic"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a=%", "a=%4", "a=%zz", "%=1", "a=1;b=2", "topic=t&x=;"})
  void shouldRefuseWhatCannotBeParsed(String query) {
    HttpError error = assertThrows(HttpError.class, () -> QueryParams.parse(query));
    assertEquals(400, error.status());
    assertEquals("INVALID_REQUEST", error.getMessage());
  }

  @Test
  void shouldDecodeOverlongAndNonAsciiBytes() throws HttpError {
    assertEquals("ü", QueryParams.parse("a=%c3%BC").get("a"));
    assertEquals("\ufffd", QueryParams.parse("a=%ff").get("a"));
  }

  @ParameterizedTest
  @CsvSource({
    "/a?b?c, '', /a, b?c",
    "/%70ing, '', /ping, ''",
    "/a+b, '', /a+b, ''",
    "http://h:1/p?q, h:1, /p, q",
    "http://h?q, h, /, q",
    "*, '', *, ''"
  })
  void shouldTakeTargetsApart(String target, String authority, String path, String query) {
    assertEquals(new RequestTarget(authority, path, query), RequestTarget.parseOrNull(target));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "ping", "/%zz", "a/b://c", "://x"})
  void shouldRefuseTargets(String target) {
    assertNull(RequestTarget.parseOrNull(target));
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", ".", "..", "A-z_0.9", "t#ephemeral"})
  void shouldAcceptNames(String name) {
    assertTrue(Names.isValid(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "#ephemeral",
        "a b",
        "a\n",
        "a#",
        "a#ephemeralx",
        "ä",
        "a#ephemeral#ephemeral"
      })
  void shouldRefuseNames(String name) {
    assertFalse(Names.isValid(name));
  }

  @Test
  void shouldBoundNamesAt64Bytes() {
    assertTrue(Names.isValid("x".repeat(64)));
    assertFalse(Names.isValid("x".repeat(65)));
    assertFalse(Names.isValid("x".repeat(55) + "#ephemeral"));
  }
}

package io.holdfast.tools.bench.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.holdfast.tools.cli.ToolException;
import java.util.List;
import org.junit.jupiter.api.Test;

class CommandTemplateTest {
  private static List<String> fill(String text) {
    return CommandTemplate.parse(text).fill("/d $1", 4150, 4151);
  }

  @Test
  void shouldFillPlaceholders() {
    assertEquals(
        List.of("nsqd", "--data-path=/d $1", "127.0.0.1:4150", "127.0.0.1:4151", "4150/4151"),
        fill("nsqd --data-path={data} {tcp}  {http} {tcp_port}/{http_port}"));
    assertEquals(List.of("127.0.0.1"), fill("{host}"));
  }

  @Test
  void shouldSplitWordsAsAShellDoes() {
    assertEquals(
        List.of("a b", "c\"d", "e f", "", "g\\h", "ij"),
        fill("'a b' \"c\\\"d\" e\\ f '' 'g\\h' i'j'"));
  }

  @Test
  void shouldRefuseWhatMakesNoSense() {
    assertEquals("no closing ' in 'x 'y'", message("x 'y"));
    assertEquals("'  ' is no command", message("  "));
    assertEquals(
        "{dir} is no placeholder; there are {data} {tcp} {http} {tcp_port} {http_port} {host}",
        message("x {dir}"));
  }

  private static String message(String text) {
    return assertThrows(ToolException.class, () -> CommandTemplate.parse(text)).getMessage();
  }
}

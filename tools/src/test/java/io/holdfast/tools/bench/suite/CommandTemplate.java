package io.holdfast.tools.bench.suite;

import io.holdfast.tools.cli.ToolException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A broker's command line with placeholders: {@code {data}}, {@code {tcp}} and {@code {http}}
 * (host:port), {@code {tcp_port}}, {@code {http_port}}, {@code {host}}. Words are separated by
 * blanks; single and double quotes and the backslash keep them together as in a shell.
 *
 * @param words the command and its arguments, at least one
 */
public record CommandTemplate(List<String> words) {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{([a-z_]*)}");
  private static final List<String> KNOWN =
      List.of("data", "tcp", "http", "tcp_port", "http_port", "host");
  private static final String HOST = "127.0.0.1";

  /**
   * @throws ToolException about usage: no word, an open quote, an unknown placeholder
   */
  public static CommandTemplate parse(String text) {
    List<String> words = split(text);
    if (words.isEmpty()) {
      throw ToolException.usage("'" + text + "' is no command");
    }
    for (String word : words) {
      Matcher matcher = PLACEHOLDER.matcher(word);
      while (matcher.find()) {
        if (!KNOWN.contains(matcher.group(1))) {
          throw ToolException.usage(
              matcher.group()
                  + " is no placeholder; there are {"
                  + String.join("} {", KNOWN)
                  + "}");
        }
      }
    }
    return new CommandTemplate(words);
  }

  private static List<String> split(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = null;
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (quote == 0 && Character.isWhitespace(c)) {
        if (word != null) {
          words.add(word.toString());
          word = null;
        }
        continue;
      }
      if (word == null) {
        word = new StringBuilder();
      }
      if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      } else if (quote != 0 && c == quote) {
        quote = 0;
      } else if (c == '\\' && quote != '\'' && i + 1 < text.length()) {
        word.append(text.charAt(++i));
      } else {
        word.append(c);
      }
    }
    if (quote != 0) {
      throw ToolException.usage("no closing " + quote + " in '" + text + "'");
    }
    if (word != null) {
      words.add(word.toString());
    }
    return words;
  }

  /**
   * @param data the data directory
   * @param tcpPort where to listen for clients
   * @param httpPort where to listen for HTTP
   * @return the command line
   */
  public List<String> fill(String data, int tcpPort, int httpPort) {
    Map<String, String> values =
        Map.of(
            "data",
            data,
            "host",
            HOST,
            "tcp",
            HOST + ":" + tcpPort,
            "http",
            HOST + ":" + httpPort,
            "tcp_port",
            Integer.toString(tcpPort),
            "http_port",
            Integer.toString(httpPort));
    return words.stream()
        .map(
            word ->
                PLACEHOLDER
                    .matcher(word)
                    .replaceAll(found -> Matcher.quoteReplacement(values.get(found.group(1)))))
        .toList();
  }
}

package io.holdfast.broker.system.support;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;

/** openapi.yaml, and whether an answer is as it says. Immutable. */
public final class OpenApi {
  private static final Path FILE = Path.of("openapi.yaml");
  private static final Set<String> METHODS = Set.of("get", "post", "put", "delete");

  private final JsonNode root;

  private OpenApi(JsonNode root) {
    this.root = root;
  }

  /** Reads it. */
  public static OpenApi read() throws IOException {
    JsonFactory yaml =
        StreamSupport.stream(ServiceLoader.load(JsonFactory.class).spliterator(), false)
            .filter(factory -> factory.getFormatName().equals("YAML"))
            .findFirst()
            .orElseThrow();
    return new OpenApi(new ObjectMapper(yaml).readTree(Files.readString(FILE)));
  }

  /** Path and method, as the file has them. */
  public final class Operation {
    private final String path;
    private final String method;
    private final JsonNode node;

    private Operation(String path, String method, JsonNode node) {
      this.path = path;
      this.method = method;
      this.node = node;
    }

    public String path() {
      return path;
    }

    /** In capitals. */
    public String method() {
      return method.toUpperCase(Locale.ROOT);
    }

    /** What a caller must be. */
    public String role() {
      return node.path("x-role").asText();
    }

    /** The parameters of the query, or of the path. */
    public List<JsonNode> parameters(String in) {
      return matching(
          node.path("parameters"), parameter -> parameter.path("in").asText().equals(in));
    }

    /** Their names. */
    public Set<String> names(String in) {
      Set<String> names = new TreeSet<>();
      parameters(in).forEach(parameter -> names.add(parameter.path("name").asText()));
      return names;
    }

    /** A body that goes; empty for none. */
    public String exampleBody() {
      for (JsonNode content : node.path("requestBody").path("content")) {
        JsonNode example = content.path("example");
        return example.isObject() ? example.toString() : example.asText();
      }
      return "";
    }

    /** What is not as the file says; empty when all is. */
    public List<String> faults(Http.Response response) {
      List<String> faults = new ArrayList<>();
      JsonNode answer = resolved(node.path("responses").path(String.valueOf(response.status())));
      if (answer.isMissingNode()) {
        return List.of("status " + response.status() + " " + response.body());
      }
      JsonNode content = answer.path("content");
      String type = response.header("content-type");
      if (content.isMissingNode() || response.body().isEmpty()) {
        return response.body().isEmpty() ? List.of() : List.of("a body: " + response.body());
      }
      JsonNode media = content.path(type == null ? "" : type.split(";", 2)[0]);
      if (media.isMissingNode()) {
        return List.of("type " + type);
      }
      JsonNode schema = media.path("schema");
      if (type.startsWith("application/json")) {
        check(schema, response.json(), "body", faults);
      } else {
        checkEnum(schema, response.body(), "body", faults);
      }
      return faults;
    }

    @Override
    public String toString() {
      return method() + " " + path;
    }
  }

  /** All of them, in the order of the file. */
  public List<Operation> operations() {
    List<Operation> all = new ArrayList<>();
    root.path("paths")
        .properties()
        .forEach(
            path ->
                path.getValue()
                    .properties()
                    .forEach(
                        field -> {
                          if (METHODS.contains(field.getKey())) {
                            all.add(new Operation(path.getKey(), field.getKey(), field.getValue()));
                          }
                        }));
    return all;
  }

  private List<JsonNode> matching(JsonNode list, Predicate<JsonNode> predicate) {
    List<JsonNode> found = new ArrayList<>();
    for (JsonNode entry : list) {
      JsonNode node = resolved(entry);
      if (predicate.test(node)) {
        found.add(node);
      }
    }
    return found;
  }

  private JsonNode resolved(JsonNode node) {
    return node.has("$ref") ? root.at(node.path("$ref").asText().substring(1)) : node;
  }

  private void check(JsonNode reference, JsonNode value, String at, List<String> faults) {
    JsonNode schema = resolved(reference);
    if (value.isNull()) {
      if (!schema.path("nullable").asBoolean()) {
        faults.add(at + " is null");
      }
      return;
    }
    String type = schema.path("type").asText();
    boolean isOfType =
        switch (type) {
          case "object" -> value.isObject();
          case "array" -> value.isArray();
          case "string" -> value.isTextual();
          case "boolean" -> value.isBoolean();
          case "integer" -> value.isIntegralNumber();
          case "number" -> value.isNumber();
          default -> true;
        };
    if (!isOfType) {
      faults.add(at + " is no " + type + ": " + value);
    } else if (value.isTextual()) {
      checkEnum(schema, value.asText(), at, faults);
    } else if (type.equals("array")) {
      value.forEach(item -> check(schema.path("items"), item, at + "[]", faults));
    } else if (type.equals("object")) {
      checkFields(schema, value, at, faults);
    }
  }

  private void checkFields(JsonNode schema, JsonNode value, String at, List<String> faults) {
    schema
        .path("required")
        .forEach(
            name -> {
              if (!value.has(name.asText())) {
                faults.add(at + " has no " + name.asText());
              }
            });
    value
        .properties()
        .forEach(
            field -> {
              JsonNode of = schema.path("properties").path(field.getKey());
              JsonNode others = schema.path("additionalProperties");
              String where = at + "." + field.getKey();
              if (!of.isMissingNode() || !others.isMissingNode()) {
                check(of.isMissingNode() ? others : of, field.getValue(), where, faults);
              } else {
                faults.add(where + " is not in the file");
              }
            });
  }

  private static void checkEnum(JsonNode schema, String value, String at, List<String> faults) {
    JsonNode allowed = schema.path("enum");
    boolean isAllowed = allowed.isMissingNode();
    for (JsonNode one : allowed) {
      isAllowed |= one.asText().equals(value);
    }
    if (!isAllowed) {
      faults.add(at + " is " + value);
    }
  }
}

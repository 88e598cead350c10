package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.OpenApi;
import io.holdfast.broker.system.support.OpenApi.Operation;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What the broker answers is as openapi.yaml says: status, type, every field and every code, for
 * the examples of the file, and for each parameter left out, wrong, and naming what is not there.
 */
class OpenApiSystemTest {
  private static BrokerProcess broker;
  private static RawNsqConnection consumer;

  @BeforeAll
  static void start() {
    Reference.holdfastOnly("nsqd has no such file");
    broker = BrokerProcess.started();
    create();
    consumer = broker.connect();
    consumer.line("SUB orders looked.at").expectOk();
    consumer.line("RDY 1");
    consumer.message();
  }

  @AfterAll
  static void stop() {
    if (broker != null) {
      consumer.close();
      broker.close();
    }
  }

  private static void create() {
    broker.http().post("/topic/create?topic=orders").expect(200, "");
    broker.http().post("/channel/create?topic=orders&channel=billing").expect(200, "");
    broker.http().post("/channel/create?topic=orders&channel=looked.at").expect(200, "");
    broker.http().post("/pub?topic=orders", "hello").expect(200, "OK");
    broker.http().post("/pub?topic=orders", "\u00ff\u0000").expect(200, "OK");
  }

  @TestFactory
  Stream<DynamicTest> answersAreAsTheFileSays() throws IOException {
    List<Operation> operations = OpenApi.read().operations();
    assertTrue(operations.size() > 40, () -> "only " + operations.size() + " operations");
    return operations.stream()
        .map(operation -> DynamicTest.dynamicTest(operation.toString(), () -> check(operation)));
  }

  private static void check(Operation operation) {
    Map<String, String> examples = new LinkedHashMap<>();
    for (JsonNode parameter : operation.parameters("query")) {
      if (parameter.has("example")) {
        examples.put(parameter.path("name").asText(), parameter.path("example").asText());
      }
    }
    create();
    check(operation, examples);
    for (JsonNode parameter : operation.parameters("query")) {
      String name = parameter.path("name").asText();
      if (parameter.path("required").asBoolean()) {
        Map<String, String> without = new LinkedHashMap<>(examples);
        without.remove(name);
        check(operation, without);
      }
      if (!name.equals("seconds")) { // of a recording: 30 where it is no number
        check(operation, with(examples, name, "~%00")); // wrong wherever anything is
        check(operation, with(examples, name, "no.such"));
      }
    }
    if (!operation.names("query").isEmpty()) {
      check(operation, with(examples, "a;b", ""));
    }
  }

  private static Map<String, String> with(Map<String, String> all, String name, String value) {
    Map<String, String> changed = new LinkedHashMap<>(all);
    changed.put(name, value);
    return changed;
  }

  private static void check(Operation operation, Map<String, String> query) {
    String path = operation.path();
    for (JsonNode parameter : operation.parameters("path")) {
      path =
          path.replace(
              "{" + parameter.path("name").asText() + "}", parameter.path("example").asText());
    }
    String text =
        query.entrySet().stream()
            .map(entry -> entry.getKey() + "=" + entry.getValue())
            .collect(Collectors.joining("&"));
    String target = text.isEmpty() ? path : path + "?" + text;
    Http.Response response =
        operation.method().equals("GET")
            ? broker.http().get(target)
            : broker.http().request(operation.method(), target, operation.exampleBody());
    assertEquals(List.of(), operation.faults(response), operation.method() + " " + target);
  }
}

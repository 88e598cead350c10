package io.holdfast.junit;

import io.holdfast.broker.Holdfast;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Runs a broker for tests, in a temporary directory that is removed afterwards. One for all methods
 * of a class:
 *
 * <pre>{@code
 * @ExtendWith(HoldfastExtension.class)
 * class OrdersTest {
 *   @Test
 *   void ordersAreKept(TestBroker broker) { ... }
 * }
 * }</pre>
 *
 * <p>or, with options, as a static field: {@code @RegisterExtension static final HoldfastExtension
 * HOLDFAST = new HoldfastExtension().option("mem_queue_size", "0");}. As a field that is not static
 * there is one for each method. Methods get it as a parameter: a {@link TestBroker}, a {@link
 * Holdfast}, or an {@link InetSocketAddress}, where clients connect.
 */
public final class HoldfastExtension
    implements BeforeAllCallback,
        AfterAllCallback,
        BeforeEachCallback,
        AfterEachCallback,
        ParameterResolver {
  private static final List<Class<?>> PARAMETERS =
      List.of(TestBroker.class, Holdfast.class, InetSocketAddress.class);

  private final Map<String, String> options = new LinkedHashMap<>();
  private TestBroker broker;
  private Path directory;

  /** Where it was started, and is to be stopped. */
  private ExtensionContext owner;

  /** With the options of an embedded broker. */
  public HoldfastExtension() {
    // A test need not wait for messages that it does not want to finish.
    options.put("shutdown_timeout", "0s");
  }

  /**
   * Sets an option of the broker.
   *
   * @param name the key in {@code conf/holdfast.toml}
   * @param value its text; what the broker does not accept makes the tests fail
   * @return this
   */
  public HoldfastExtension option(String name, String value) {
    options.put(name, value);
    return this;
  }

  /**
   * The broker.
   *
   * @throws IllegalStateException outside of tests
   */
  public TestBroker broker() {
    if (broker == null) {
      throw new IllegalStateException("the broker runs during tests only");
    }
    return broker;
  }

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    start(context);
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    start(context);
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    stop(context);
  }

  @Override
  public void afterAll(ExtensionContext context) throws IOException {
    stop(context);
  }

  private void start(ExtensionContext context) throws IOException {
    if (owner != null) {
      return;
    }
    directory = Files.createTempDirectory("holdfast-junit");
    owner = context;
    broker = new TestBroker(directory, options);
    broker.start();
  }

  private void stop(ExtensionContext context) throws IOException {
    if (owner != context) {
      return;
    }
    broker.stop();
    broker = null;
    owner = null;
    List<Path> all;
    try (Stream<Path> found = Files.walk(directory)) {
      all = found.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : all) {
      Files.deleteIfExists(path);
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return PARAMETERS.contains(parameter.getParameter().getType());
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    if (type == TestBroker.class) {
      return broker();
    }
    return type == Holdfast.class ? broker().holdfast() : broker().tcpAddress();
  }
}

package io.holdfast.broker.http;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.access.HttpAccess;
import io.holdfast.broker.access.Role;
import io.holdfast.broker.fuzz.FuzzTarget;
import io.holdfast.broker.history.Audit;
import io.holdfast.broker.history.Events;
import io.holdfast.broker.history.History;
import io.holdfast.broker.http.Router.Route;
import io.holdfast.broker.metrics.BrokerCollector;
import io.holdfast.broker.metrics.Metrics;
import io.holdfast.broker.stats.Producers;
import io.holdfast.broker.system.support.OpenApi;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** openapi.yaml has the routes that the router has, with their parameters, and no others. */
class OpenApiTest {
  private static final Pattern VARIABLE = Pattern.compile("\\{(.*)}");

  @Test
  void shouldHaveTheRoutersRoutes() throws IOException {
    try (FuzzTarget target = new FuzzTarget()) {
      HttpAccess access = new HttpAccess(null, Role.ADMIN, System::nanoTime);
      Collection<Route> routes =
          new ArrayList<>(
              new HttpApi(
                      target.broker(),
                      new Producers(),
                      new Metrics(new BrokerCollector(target.broker(), false, Map.of(), Map::of)),
                      access,
                      new Events(),
                      new History(target.broker(), Map::of))
                  .router()
                  .routes());
      // A broker alone has none of these, and says 404.
      HttpApi.Routes ofCluster =
          new HttpApi.Routes(new Guarded(access, new Audit(new Events())), null);
      new ClusterHandler(null).addRoutes(ofCluster);
      routes.addAll(ofCluster.all());
      assertEquals(lines(ofRouter(routes)), lines(ofFile()));
    }
  }

  private static Map<String, String> ofRouter(Collection<Route> routes) {
    Map<String, String> all = new TreeMap<>();
    for (Route route : routes) {
      Set<String> inPath = new TreeSet<>();
      VARIABLE.matcher(route.path()).results().forEach(match -> inPath.add(match.group(1)));
      all.put(
          route.method() + " " + route.path(),
          shown(
              route.right().name().toLowerCase(Locale.ROOT),
              new TreeSet<>(route.parameters()),
              inPath));
    }
    return all;
  }

  private static Map<String, String> ofFile() throws IOException {
    return OpenApi.read().operations().stream()
        .collect(
            Collectors.toMap(
                OpenApi.Operation::toString,
                operation ->
                    shown(operation.role(), operation.names("query"), operation.names("path")),
                (one, other) -> one,
                TreeMap::new));
  }

  private static String shown(String role, Set<String> inQuery, Set<String> inPath) {
    return role + " query=" + inQuery + " path=" + inPath;
  }

  /** One a line, so that a difference is seen. */
  private static String lines(Map<String, String> all) {
    return all.entrySet().stream().map(Object::toString).collect(Collectors.joining("\n"));
  }
}

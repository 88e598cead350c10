package io.holdfast.broker.http;

import io.holdfast.broker.access.RequestGuard;
import io.holdfast.broker.access.Role.Right;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpRequest;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

/**
 * Finds the route of a request, with the answers nsqd gives where there is none: redirects for
 * wrong case, trailing or doubled slashes, 405 and {@code OPTIONS} with {@code Allow}, 404
 * (contract §5). Immutable.
 *
 * <p>A path is either fixed or ends in {@code /{name}}, which stands for one segment.
 */
final class Router {
  /**
   * Where browsers find a page and nsqd has nothing: no redirect leads there, no 405 tells of it.
   */
  private static final String ROOT = "/";

  private final Map<String, Map<String, Route>> routesByMethod = new HashMap<>();
  private final AccessCheck access;
  private final BooleanSupplier starting;
  private final BiConsumer<Route, ApiRequest> refused;

  /**
   * One route.
   *
   * @param method upper case
   * @param right that it asks for
   * @param path as above
   * @param parameters names of those of the query that the handler asks for
   * @param bodyLimit how much of a body the handler wants
   */
  record Route(
      Right right,
      String method,
      String path,
      Set<String> parameters,
      BodyLimit bodyLimit,
      RequestHandler handler) {
    private static final String VARIABLE = "/{key}";

    private boolean isPrefix() {
      return path.endsWith(VARIABLE);
    }

    private String prefix() {
      return path.substring(0, path.length() - VARIABLE.length() + 1);
    }
  }

  /** How much of a request's body its handler wants. Evaluated per request: options can change. */
  interface BodyLimit {
    /** The handler does not look at the body. */
    BodyLimit NONE =
        new BodyLimit() {
          @Override
          public long declaredMaxBytes(String rawQuery) {
            return Long.MAX_VALUE;
          }

          @Override
          public long collectMaxBytes(String rawQuery, boolean chunked) {
            return -1;
          }

          @Override
          public HttpReply tooBig() {
            throw new IllegalStateException("nothing is too big for no limit");
          }
        };

    /** Returns the longest Content-Length in bytes that is not refused at once. */
    long declaredMaxBytes(String rawQuery);

    /**
     * Returns how many bytes to collect; the handler hears of more by {@link
     * ApiRequest#bodyTooBig}. -1: the body is read and dropped.
     */
    long collectMaxBytes(String rawQuery, boolean chunked);

    /** Returns the answer to a Content-Length above {@link #declaredMaxBytes}. */
    HttpReply tooBig();
  }

  /**
   * What to do with a request: either a route, or an answer that needs nothing more.
   *
   * @param route null if {@code reply} is the answer
   * @param pathParam value of the route's variable segment, null if it has none
   * @param reply null if there is a route
   */
  record Match(Route route, String pathParam, HttpReply reply) {}

  /**
   * @param routes in any order, open to everybody
   */
  Router(Collection<Route> routes) {
    this(routes, RequestGuard.NONE, () -> false, (route, request) -> {});
  }

  /**
   * @param routes in any order
   * @param guard who may ask for them
   * @param starting while it is true, only health is told, the cluster's included
   * @param refused hears of what is refused for how it came, where there is a route
   */
  Router(
      Collection<Route> routes,
      RequestGuard guard,
      BooleanSupplier starting,
      BiConsumer<Route, ApiRequest> refused) {
    this.starting = starting;
    this.refused = refused;
    access = new AccessCheck(guard);
    for (Route route : routes) {
      Route former =
          routesByMethod
              .computeIfAbsent(route.method(), method -> new HashMap<>())
              .put(route.isPrefix() ? route.prefix() : route.path(), route);
      if (former != null) {
        throw new IllegalArgumentException("two routes for " + route.method() + " " + route.path());
      }
    }
  }

  /** All routes, in no order. */
  List<Route> routes() {
    return routesByMethod.values().stream().flatMap(routes -> routes.values().stream()).toList();
  }

  /** Finds what answers a request: whether it may be made at all comes first. */
  Match match(ChannelHandlerContext ctx, HttpRequest request, RequestTarget target) {
    HttpReply refusal = access.refusalOrNull(ctx, request, target);
    if (refusal != null) {
      return refuse(ctx, request, target, refusal);
    }
    boolean isHealth =
        target.path().equals("/ping")
            || target.path().equals("/cluster")
            || target.path().startsWith(HealthHandler.PREFIX);
    if (!isHealth && starting.getAsBoolean()) {
      return answer(HttpReply.error(503, "STARTING"));
    }
    return target.path().equals("*")
        ? answer(HttpReply.plainText(200, "")) // OPTIONS of the server as such
        : match(request.method().name(), target.path(), target.rawQuery());
  }

  /** Answers what may not be asked here, whatever it is; who keeps account of that is told. */
  Match refuse(
      ChannelHandlerContext ctx, HttpRequest request, RequestTarget target, HttpReply answer) {
    String method = request.method().name();
    Match match = find(routesByMethod.getOrDefault(method, Map.of()), target.path());
    if (match != null) {
      ApiRequest headOnly =
          new ApiRequest(
              method,
              target.path(),
              match.pathParam(),
              match.route().parameters(),
              target.rawQuery(),
              null,
              false,
              request.headers(),
              Peer.of(ctx));
      refused.accept(match.route(), headOnly);
    }
    return answer(answer);
  }

  /**
   * Finds what answers a request that may be made.
   *
   * @param method upper case
   * @param path decoded
   * @param rawQuery kept in redirects; empty for none
   */
  Match match(String method, String path, String rawQuery) {
    Map<String, Route> routes = routesByMethod.get(method);
    if (routes != null) {
      Match match = find(routes, path);
      if (match != null) {
        return match;
      }
      // NUL stands in no address that a redirect could name.
      String target = path.indexOf('\0') < 0 ? redirectTarget(routes, path) : null;
      if (target != null) {
        boolean get = method.equals("GET");
        String location = escapePath(target) + (rawQuery.isEmpty() ? "" : "?" + rawQuery);
        return answer(HttpReply.redirect(get ? 301 : 307, location, get));
      }
    }
    if (path.equals(ROOT)) {
      return answer(HttpReply.error(404, "NOT_FOUND"));
    }
    Set<String> allowed = new TreeSet<>();
    for (Map.Entry<String, Map<String, Route>> entry : routesByMethod.entrySet()) {
      if (find(entry.getValue(), path) != null) {
        allowed.add(entry.getKey());
      }
    }
    if (allowed.isEmpty()) {
      return answer(HttpReply.error(404, "NOT_FOUND"));
    }
    allowed.add("OPTIONS");
    String allow = String.join(", ", allowed);
    return answer(
        method.equals("OPTIONS") ? HttpReply.options(allow) : HttpReply.methodNotAllowed(allow));
  }

  private static Match answer(HttpReply reply) {
    return new Match(null, null, reply);
  }

  private static Match find(Map<String, Route> routes, String path) {
    Route fixed = routes.get(path);
    if (fixed != null && !fixed.isPrefix()) {
      return new Match(fixed, null, null);
    }
    int slash = path.lastIndexOf('/');
    Route prefix = slash < 0 ? null : routes.get(path.substring(0, slash + 1));
    if (prefix != null && prefix.isPrefix() && slash + 1 < path.length()) {
      return new Match(prefix, path.substring(slash + 1), null);
    }
    return null;
  }

  private static String redirectTarget(Map<String, Route> routes, String path) {
    String toggled = toggleTrailingSlash(path);
    if (!toggled.isEmpty() && !toggled.equals(ROOT) && find(routes, toggled) != null) {
      return toggled;
    }
    String clean = cleanPath(path);
    String target = findIgnoringCase(routes, clean);
    return target != null ? target : findIgnoringCase(routes, toggleTrailingSlash(clean));
  }

  private static String toggleTrailingSlash(String path) {
    return path.endsWith("/") ? path.substring(0, path.length() - 1) : path + "/";
  }

  private static String findIgnoringCase(Map<String, Route> routes, String path) {
    for (Route route : routes.values()) {
      if (route.isPrefix()) {
        String prefix = route.prefix();
        if (path.length() > prefix.length()
            && path.regionMatches(true, 0, prefix, 0, prefix.length())
            && path.indexOf('/', prefix.length()) < 0) {
          return prefix + path.substring(prefix.length());
        }
      } else if (route.path().equals(path.toLowerCase(Locale.ROOT)) && !path.equals(ROOT)) {
        return route.path();
      }
    }
    return null;
  }

  /** Removes doubled slashes, {@code .} and {@code ..}; keeps a trailing slash. */
  private static String cleanPath(String path) {
    Deque<String> kept = new ArrayDeque<>();
    List<String> segments = new ArrayList<>(List.of(path.split("/", -1)));
    for (String segment : segments) {
      if (segment.equals("..")) {
        kept.pollLast();
      } else if (!segment.isEmpty() && !segment.equals(".")) {
        kept.addLast(segment);
      }
    }
    String last = segments.get(segments.size() - 1);
    boolean trailing = !kept.isEmpty() && (last.isEmpty() || last.equals("."));
    return "/" + String.join("/", kept) + (trailing ? "/" : "");
  }

  private static String escapePath(String path) {
    try {
      return new URI(null, null, path, null).toASCIIString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException("a path with a leading slash is a URI: " + path, e);
    }
  }
}

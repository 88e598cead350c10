/**
 * nsqd's HTTP API (contract §5) on Netty.
 *
 * <p>{@link io.holdfast.broker.http.HttpServer} listens; one {@link
 * io.holdfast.broker.http.HttpConnectionHandler} per connection reads a request at a time, asks the
 * {@link io.holdfast.broker.http.Router} for its route and writes the answer, in order. {@link
 * io.holdfast.broker.http.HttpApi} lists the routes. Handlers run on the connection's event loop;
 * what blocks they hand to the broker's workers.
 */
package io.holdfast.broker.http;

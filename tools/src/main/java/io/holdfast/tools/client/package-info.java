/**
 * A small blocking client of NSQ's protocol (PROTOCOL.md §1 to §3) and of nsqlookupd's HTTP
 * interface. One thread reads a connection, any thread may write to it.
 */
package io.holdfast.tools.client;

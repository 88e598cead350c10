// Lets a Java test use nsqjs: commands as JSON lines on stdin, answers and deliveries as JSON lines on stdout.
// argv: port of the broker, transport (PLAIN, TLS, SNAPPY, DEFLATE, TLS_SNAPPY).
'use strict'
const nsq = require('nsqjs')
const readline = require('readline')

const port = Number(process.argv[2])
const transport = process.argv[3]
const options = {
  tls: transport.includes('TLS'),
  tlsVerification: false,
  snappy: transport.includes('SNAPPY'),
  deflate: transport === 'DEFLATE'
}
const messages = new Map()
let nextDelivery = 1
let writer = null
let ready = null

const say = (event) => process.stdout.write(JSON.stringify(event) + '\n')

// A writer that lost its connection is replaced at the next publish.
function connectedWriter () {
  if (ready) return ready
  writer = new nsq.Writer('127.0.0.1', port, options)
  const current = writer
  ready = new Promise((resolve, reject) => {
    current.on('ready', () => resolve(current))
    current.on('error', (err) => { ready = null; reject(err) })
    current.on('closed', () => { ready = null; reject(new Error('closed')) })
  })
  ready.catch(() => {})
  current.connect()
  return ready
}

async function publish (command) {
  const done = (err) => say({ reply: command.id, error: err ? String(err.message || err) : null })
  try {
    const to = await connectedWriter()
    // deferPublish of this version takes a list of one only, whatever its documentation says.
    if (command.delayMs >= 0) to.deferPublish(command.topic, command.bodies, command.delayMs, done)
    else to.publish(command.topic, command.bodies.length === 1 ? command.bodies[0] : command.bodies, done)
  } catch (err) {
    done(err)
  }
}

function consume (command) {
  const reader = new nsq.Reader(command.topic, command.channel, {
    ...options,
    nsqdTCPAddresses: ['127.0.0.1:' + port],
    maxInFlight: 10,
    lookupdPollInterval: 1 // how often a lost connection is tried again, in s
  })
  reader.on('message', (message) => {
    const delivery = nextDelivery++
    messages.set(delivery, message)
    say({ delivery, body: message.body.toString(), attempts: message.attempts })
  })
  reader.on('error', () => {}) // reconnects by itself
  reader.connect()
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line)
  const message = messages.get(command.delivery)
  switch (command.op) {
    case 'publish': publish(command); break
    case 'consume': consume(command); break
    case 'finish': message.finish(); break
    case 'requeue': message.requeue(command.delayMs, false); break
    case 'touch': message.touch(); break
  }
}).on('close', () => process.exit(0))

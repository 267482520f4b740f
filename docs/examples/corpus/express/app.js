// A small shop on Express: a page, a form, an API and a login; with helmet where HELMET is set.
"use strict";

const express = require("express");
const session = require("express-session");

const app = express();
const items = [{ id: 1, name: "tea" }];

if (process.env.HELMET) {
  app.use(require("helmet")());
}
app.use(express.json());
app.use(express.urlencoded({ extended: false }));
app.use(session({ secret: "for the corpus only", resave: false, saveUninitialized: false }));

const escaped = (text) => String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

app.get("/", (request, response) => {
  const wanted = escaped(request.query.name || "stranger");
  response.send(`<!doctype html><title>Shop</title><h1>Hello, ${wanted}</h1>
<form action="/login" method="post"><input name="user"><button>Log in</button></form>
<a href="/items">Items</a> <a href="/search?q=tea">Search</a>`);
});

app.get("/items", (_request, response) => response.json(items));

app.post("/items", (request, response) => {
  if (typeof request.body.name !== "string") {
    return response.status(422).json({ error: "name is missing" });
  }
  items.push({ id: items.length + 1, name: request.body.name });
  return response.status(201).json(items.at(-1));
});

app.get("/search", (request, response) => {
  response.type("html").send(`<p>Nothing is called ${escaped(request.query.q)}.`);
});

app.post("/login", (request, response) => {
  request.session.user = request.body.user;
  response.redirect(303, "/account");
});

app.get("/account", (request, response) => {
  if (!request.session.user) {
    return response.status(401).json({ error: "log in first" });
  }
  return response.json({ user: request.session.user });
});

app.get("/raise", () => {
  throw new Error("the till is stuck");
});

app.listen(Number(process.argv[2]), "127.0.0.1");

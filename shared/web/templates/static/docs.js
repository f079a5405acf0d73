// A file and not a script inside the page, so that the page's policy allows no inline script.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  // By default Swagger UI sends the document's address to a validator elsewhere.
  validatorUrl: null,
});

export { ApiContext, defaultCatalogName, type ApiOptions } from './api-context.js';
export { maxImportRows } from './catalog/imports.controller.js';
export { createApi, type Api } from './create-api.js';
export { maxPageLength } from './http/paging.js';
export { scopes, type Scope } from './http/principal.js';
export { serve, type RunningServer, type ServeOptions } from './serve.js';
